"""Compress a trained model by the steps of a recipe, each of them fine-tuned."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from breakeven import config, modelfile, paths, prepared, tracking
from breakeven.compression.base import Compression
from breakeven.config import Config
from breakeven.errors import Unsupported, UserError
from breakeven.files import atomic_folder, fingerprint, read_json, source_digest
from breakeven.modelfile import CARD, Card
from breakeven.option import choice
from breakeven.stages.run import run
from breakeven.train.distillation import Teacher
from breakeven.training import TRAINING, Job, describe, make


def compress(name: str, recipe: str) -> None:
    """Apply the recipe `recipe` to the family `name`; `models/NAME/RECIPE` holds the result."""
    study = config.read()
    study.family(name)
    if recipe not in (recipes := study.recipes()):
        raise UserError(f"{recipe}: {choice(recipe, recipes)}")
    *first, last = recipes[recipe]
    folder = paths.model(name)
    for step in first:
        folder = _step(study, name, recipe, step, folder, None)
    _step(study, name, recipe, last, folder, paths.model(name, recipe))


def _step(
    study: Config, name: str, recipe: str, compression: Compression, start: Path, target: Path | None
) -> Path:
    """One step from the model in `start` to `target`, or to a place of its own; the folder of the result.

    A model that an earlier run or another recipe made in just this way is taken as it is.
    """
    family = study.family(name)
    data = paths.prepared(family.data)
    model, before = modelfile.load(start)
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
    teacher, _ = modelfile.load(paths.model(name))
    key = fingerprint(settings, before.key, before.sha256, digest, source_digest(*TRAINING, "compression"))
    target = target or paths.step(key)
    if known := _known(name, key):
        if known != target:
            made, card = modelfile.load(known)
            with atomic_folder(target) as folder:
                modelfile.save(folder, made, replace(card, recipe=recipe))
        print(f"{name}/{recipe}: {compression.name} as in {known}")
        return target
    try:
        spec = compression.architecture(before.model)
        past = before.pruning
        if spec != before.model:
            torch.manual_seed(study.seed)
            model, past = modelfile.build(spec, before.shape, f"compressions.{recipe}"), []
        pruning = compression.apply(model, before.shape.example(2))
    except Unsupported as error:
        raise UserError(_advice(name, recipe, error)) from None
    job = Job(
        family=name,
        recipe=recipe,
        folder=target,
        spec=spec,
        build=lambda: model,
        train=tuning,
        seed=study.seed,
        key=key,
        made=compression.name,
        pruning=[*past, *pruning],
        teacher=Teacher(teacher, compression.distil, compression.temperature) if compression.distil else None,
        finish=compression.finish,
        before_s=0.0 if before.recipe == "none" else before.train_s,
        details={"settings": settings, "data": digest, "from": before.key, "before": _past(before)},
    )
    called = recipe if target == paths.model(name, recipe) else compression.name
    tags = {"kind": "compression", "family": name, "recipe": called, "dataset.sha256": digest}
    with tracking.live(f"{called} {name}", key, tags, settings) as log:
        card = make(job, data, log)
    print(f"{name}/{recipe}: {describe(card)}")
    print(
        f"  before: {before.parameters:,} parameters, {before.macs:,} MACs, "
        f"accuracy {before.val_accuracy:.2%} on validation, {before.test_accuracy:.2%} on test"
    )
    return target


def _known(name: str, key: str) -> Path | None:
    """The folder of a model with this key."""
    folders = [paths.step(key), *sorted(paths.model(name).parent.glob("*"))]
    # The key alone: what an earlier version left here is no model of this one.
    return next((f for f in folders if (f / CARD).exists() and read_json(f / CARD).get("key") == key), None)


def _past(card: Card) -> list[dict[str, Any]]:
    """What the steps before came to, the uncompressed model first."""
    figures = ("made", "val_accuracy", "test_accuracy", "parameters", "macs", "train_s")
    return [*card.details.get("before", []), {figure: getattr(card, figure) for figure in figures}]


def _advice(name: str, recipe: str, error: Unsupported) -> str:
    key = f"compressions.{recipe}"
    command = shlex.join(["breakeven", "compose", *read_json(paths.OVERRIDES), f"~{key}"])
    return (
        f"{key} cannot compress families.{name}: {error}. Change one of them, or leave the recipe out: "
        f"`{command}`."
    )


if __name__ == "__main__":
    run(compress)
