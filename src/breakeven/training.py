"""From a model that can be built to a model on disk: fit (or take as it is), score, size, save."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock
from torch import nn

from breakeven import modelfile, paths, prepared
from breakeven.files import atomic_folder
from breakeven.modelfile import SCORES, Card, Shape
from breakeven.prepared import Manifest
from breakeven.preprocess import predictor
from breakeven.provenance import here
from breakeven.scoring import accuracy, in_batches
from breakeven.train.distillation import Teacher
from breakeven.train.fit import Fitted, OnEpoch, fit
from breakeven.train.recipe import Recipe

# The source that decides what a training makes, besides the model's own
TRAINING = ("train", "converted", "data/base", "modelfile", "prepared", "preprocess", "scoring", "training")


@dataclass(frozen=True)
class Job:
    """One model to be made."""

    family: str
    recipe: str  # "none", or the compression
    folder: Path  # of the model that is made
    spec: dict[str, Any]  # `_target_` and arguments
    build: Callable[[], nn.Module]
    train: Recipe | None  # None: the model is taken as it is
    seed: int
    key: str  # of all that it is made from
    made: str
    pruning: list[Any] = field(default_factory=list)
    teacher: Teacher | None = None
    finish: Callable[[nn.Module], None] = lambda model: None  # after the training
    before_s: float = 0.0  # of training, in the recipe's earlier steps
    details: dict[str, Any] = field(default_factory=dict)


def shape_of(manifest: Manifest) -> Shape:
    """What a model has to know of a prepared dataset."""
    return Shape(manifest.channels, manifest.height, manifest.width, len(manifest.classes))


def make(job: Job, data: Path, log: OnEpoch) -> Card:
    """Make the model and write it to its folder, whole or not at all.

    Args:
        data: the folder of the prepared dataset.
        log: is given each epoch's figures, and at the end the scores.
    """
    workdir = paths.private() / "training" / f"{job.family}-{job.recipe}-{job.key}"
    workdir.parent.mkdir(parents=True, exist_ok=True)
    # Two processes that make the same (queued experiments) take turns.
    with FileLock(f"{workdir}.lock"):
        card = _make(job, data, workdir, log)
        shutil.rmtree(workdir, ignore_errors=True)
    log({"epoch": len(card.history), **{name: getattr(card, name) for name in SCORES}})
    return card


def _make(job: Job, data: Path, workdir: Path, log: OnEpoch) -> Card:
    manifest = prepared.manifest(data)
    val, test = prepared.load(data, "val"), prepared.load(data, "test")
    if job.train:
        if (workdir / "last.ckpt").exists():
            print(f"{job.family}: resuming from {workdir / 'last.ckpt'}", file=sys.stderr)
        train = prepared.load(data, "train")
        classes = len(manifest.classes)
        fitted = fit(
            job.build,
            train,
            val,
            manifest.mean,
            manifest.std,
            classes,
            job.train,
            job.seed,
            workdir,
            log,
            job.teacher,
        )
    else:
        fitted = Fitted(job.build().eval())
    job.finish(fitted.model)
    predict = predictor(fitted.model, manifest.mean, manifest.std)
    size = modelfile.size(fitted.model, shape_of(manifest))
    card = Card(
        family=job.family,
        recipe=job.recipe,
        title=manifest.title,
        model=job.spec,
        shape=shape_of(manifest),
        mean=manifest.mean,
        std=manifest.std,
        parameters=size.parameters,
        macs=size.macs,
        activations=size.activations,
        val_accuracy=accuracy(in_batches(predict, val.images), val.labels),
        test_accuracy=accuracy(in_batches(predict, test.images), test.labels),
        train_s=job.before_s + fitted.seconds,
        made=job.made,
        key=job.key,
        pruning=job.pruning,
        details=job.details,
        origin=here(),
        history=fitted.history,
    )
    with atomic_folder(job.folder) as folder:
        return modelfile.save(folder, fitted.model, card)


def describe(card: Card) -> str:
    """A model in one line."""
    return (
        f"{card.parameters:,} parameters, {card.macs:,} MACs, {card.made} in {card.train_s:.0f} s; "
        f"accuracy {card.val_accuracy:.2%} on validation, {card.test_accuracy:.2%} on test"
    )
