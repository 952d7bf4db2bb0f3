"""The stage `train`: it trains a family's model, or uses the user's own weights."""

import sys
from dataclasses import asdict

import torch
from torch import nn

from breakeven.artifacts import dataset, saved_model
from breakeven.artifacts.checkpoint import load_checkpoint, load_pretrained
from breakeven.artifacts.output_of import whole
from breakeven.config import schema
from breakeven.config.sections import Family
from breakeven.core import paths
from breakeven.core.cache import CacheKey
from breakeven.core.files import read_json
from breakeven.core.source_digest import digests_of, unwatched_modules
from breakeven.pipeline.fit_model import UNTRAINED, ModelJob, describe, obtain
from breakeven.pipeline.model_sizes import require_sizes
from breakeven.pipeline.option_code import option_modules
from breakeven.pipeline.stages._main import run
from breakeven.tracking import live_run

NOT_TRAINED = ("data", "varying")  # keys of a family that change nothing in its training


def train(name: str) -> None:
    """Train the family `name`, and save the model in `models/NAME/none`."""
    study = schema.read_study(checked=True)
    family = study.family(name)
    data = paths.prepared(family.data)
    manifest = dataset.manifest(data)
    weights = read_json(paths.fetched(f"checkpoints/{name}"))
    scale = [manifest.mean, manifest.std]
    settings = {**family.model_dump(), "seed": study.seed}
    key = CacheKey(
        "model",
        {
            "settings": {k: v for k, v in settings.items() if k not in NOT_TRAINED},
            "data": [manifest.digest, *scale],
            "checkpoint": weights,
            "code": digests_of(
                "train", [str(family.model.get("_target_")), *option_modules("tasks", family.task)]
            ),
        },
    )

    def build() -> nn.Module:
        torch.manual_seed(study.seed)  # for weights that are not trained
        model = saved_model.build(family.model, manifest.shape, f"families.{name}.model")
        if unwatched := unwatched_modules(str(family.model.get("_target_"))):
            print(
                f"warning: families.{name}.model: its constructor imported {', '.join(unwatched)} by name: "
                "an edit there does not train it again. Import them with `import` in the model's module.",
                file=sys.stderr,
            )
        if family.checkpoint:
            load_checkpoint(paths.checkpoint(family.checkpoint), whole(model))
        if family.pretrained:
            said = load_pretrained(paths.checkpoint(family.pretrained), whole(model))
            print(f"families.{name}: {said}")
        return model

    varying = [asdict(one) for one in study.varying(name, manifest.shape)]
    job = ModelJob(
        family=name,
        recipe="none",
        folder=paths.model(name),
        spec=family.model,
        build=build,
        train=None if family.checkpoint else family.train,
        task=study.task(name),
        seed=study.seed,
        key=key,
        made=_made(family),
        varying=varying,
        details={"settings": settings, "data": manifest.digest, "checkpoint": weights},
    )
    tags = {"kind": "train", "family": name, "dataset.sha256": manifest.digest}
    card = obtain(job, data, lambda: live_run.run(f"train {name}", key.digest, tags, settings))
    if varying:  # a model from the cache was perhaps made for other sizes
        test = dataset.load_split(data, "test")
        require_sizes(saved_model.load(job.folder)[0], test.images, card, f"families.{name}.varying")
    print(f"{name}: {describe(card)}")


def _made(family: Family) -> str:
    """Return how the family's model is made, in a word."""
    if family.checkpoint:
        return "checkpoint"
    if family.pretrained:
        return "fine-tuned"
    return "trained" if family.train else UNTRAINED


if __name__ == "__main__":
    run(train)
