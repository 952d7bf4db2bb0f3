"""Compress a trained model, then fine-tune it. The body serves every kind of compression."""

import shlex

from breakeven import config, modelfile, paths, prepared, tracking
from breakeven.errors import Unsupported, UserError
from breakeven.files import fingerprint, read_json, source_digest
from breakeven.option import choice
from breakeven.stages.run import run
from breakeven.training import TRAINING, Job, describe, make


def compress(name: str, recipe: str) -> None:
    """Apply the compression `recipe` to the family `name`; `models/NAME/RECIPE` holds the result."""
    study = config.read()
    family = study.family(name)
    if recipe not in (recipes := study.recipes()):
        raise UserError(f"{recipe}: {choice(recipe, recipes)}")
    compression = recipes[recipe]
    data = paths.prepared(family.data)
    model, before = modelfile.load(paths.model(name))
    try:
        pruning = compression.apply(model, before.shape.example(2))
    except Unsupported as error:
        key = f"compressions.{compression.name}.{recipe}"
        command = shlex.join(["breakeven", "compose", *read_json(paths.OVERRIDES), f"~{key}"])
        raise UserError(
            f"{key} cannot compress families.{name}: {error}. Change one of them, or leave the recipe out: "
            f"`{command}`."
        ) from None
    tuning = family.train.model_copy(
        update={
            "epochs": max(1, round(compression.epochs * family.train.epochs)),
            "lr": compression.lr * family.train.lr,
            "sides": [1.0],
            "patience": 0,
        }
    )
    settings = {"compression": compression.model_dump(), "train": tuning.model_dump(), "seed": study.seed}
    digest = prepared.manifest(data).digest
    key = fingerprint(settings, before.key, before.sha256, digest, source_digest(*TRAINING, "compression"))
    job = Job(
        family=name,
        recipe=recipe,
        spec=before.model,
        build=lambda: model,
        train=tuning,
        seed=study.seed,
        key=key,
        made=compression.name,
        pruning=pruning,
        details={"settings": settings, "data": digest, "from": before.key},
    )
    tags = {"kind": "compression", "family": name, "recipe": recipe, "dataset.sha256": digest}
    with tracking.live(f"{recipe} {name}", key, tags, settings) as log:
        card = make(job, data, log)
    print(f"{name}/{recipe}: {describe(card)}")
    print(
        f"  before: {before.parameters:,} parameters, {before.macs:,} MACs, "
        f"accuracy {before.val_accuracy:.2%} on validation, {before.test_accuracy:.2%} on test"
    )


if __name__ == "__main__":
    run(compress)
