"""Train a family's model, or take the user's own weights in its place."""

from torch import nn

from breakeven import config, modelfile, paths, prepared, tracking
from breakeven.files import fingerprint, read_json, source_digest
from breakeven.stages.run import run
from breakeven.training import TRAINING, Job, describe, make, shape_of


def train(name: str) -> None:
    """Train the family `name`; `models/NAME/none` holds the result."""
    study = config.read()
    family = study.family(name)
    data = paths.prepared(family.data)
    manifest = prepared.manifest(data)
    weights = read_json(paths.fetched(f"checkpoints/{name}"))
    source = read_json(paths.fetched(f"models/{name}"))
    scale = [manifest.mean, manifest.std]
    settings = {**family.model_dump(), "seed": study.seed}
    key = fingerprint(settings, manifest.sha256, scale, weights, source, source_digest(*TRAINING))

    def build() -> nn.Module:
        model = modelfile.build(family.model, shape_of(manifest), f"families.{name}.model")
        if family.checkpoint:
            modelfile.load_checkpoint(paths.checkpoint(family.checkpoint), model)
        return model

    job = Job(
        family=name,
        recipe="none",
        folder=paths.model(name),
        spec=family.model,
        build=build,
        train=None if family.checkpoint else family.train,
        seed=study.seed,
        key=key,
        made="checkpoint" if family.checkpoint else "trained",
        details={"settings": settings, "data": manifest.digest, "checkpoint": weights},
    )
    tags = {"kind": "train", "family": name, "dataset.sha256": manifest.digest}
    with tracking.live(f"train {name}", key, tags, settings) as log:
        card = make(job, data, log)
    print(f"{name}: {describe(card)}")


if __name__ == "__main__":
    run(train)
