"""From a model that can be built to a model on disk: fit (or take as it is), score, size, save."""

import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from breakeven.artifacts import dataset, saved_model
from breakeven.artifacts.dataset import DatasetManifest, Images
from breakeven.artifacts.inference import accuracy, predict_in_batches
from breakeven.artifacts.model_manifest import (
    MANIFEST,
    WEIGHTS,
    ImageInput,
    ModelManifest,
    TextInput,
    relabel,
    shape_from,
)
from breakeven.artifacts.preprocess import normalize, predictor
from breakeven.config.training import TrainingConfig
from breakeven.core import cache, machine_lock, paths
from breakeven.core.cache import CacheKey
from breakeven.core.errors import UserError
from breakeven.core.files import atomic_folder, read_json, sha256, source_digests
from breakeven.core.source_digest import here
from breakeven.pipeline.training.distillation import Teacher
from breakeven.pipeline.training.result import OnEpoch, TrainingResult

UNTRAINED = "untrained"  # with the weights that it was constructed with
# The source that decides what a training makes, besides the model's own
TRAINING = (
    "config/training",
    *(
        "pipeline/training",
        "artifacts/model_manifest",
        "artifacts/precision",
        "plugins/datasets/base",
        "artifacts/saved_model",
        "artifacts/dataset",
        "artifacts/preprocess",
        "artifacts/inference",
    ),
    "pipeline/fit_model",
)
CODE = source_digests(*TRAINING)  # what is edited from here on is not what runs


@dataclass(frozen=True)
class ModelJob:
    """One model to be made."""

    family: str
    recipe: str  # "none", or the compression
    folder: Path  # of the model that is made
    spec: dict[str, Any]  # `_target_` and arguments
    build: Callable[[], nn.Module]
    train: TrainingConfig | None  # None: the model is taken as it is
    seed: int
    key: CacheKey
    made: str
    pruning: list[Any] = field(default_factory=list)
    teacher: Teacher | None = None
    finish: Callable[[nn.Module], None] = lambda model: None  # after the training
    before_s: float = 0.0  # of training, in the recipe's earlier steps
    details: dict[str, Any] = field(default_factory=dict)


def shape_of(manifest: DatasetManifest) -> ImageInput | TextInput:
    """What a model has to know of a prepared dataset."""
    return shape_from({**manifest.inputs, "classes": len(manifest.classes)})


def obtain(job: ModelJob, data: Path, live: Callable[[], AbstractContextManager[OnEpoch]]) -> ModelManifest:
    """Take the model from the store, or make it and keep it there; its folder is written whole or not at all.

    Args:
        data: the folder of the prepared dataset.
        live: opens a run that is given each epoch's figures, and at the end the scores.
    """
    title = f"{job.family}/{job.recipe}: {job.made}"
    with cache.exclusive(job.key, title):
        if cache.restore(job.key, job.folder) or (_adopt(job.key) and cache.restore(job.key, job.folder)):
            print(f"{title}: taken from {cache.folder(job.key)}")
            return relabel(job.folder, family=job.family, recipe=job.recipe)
        workdir = paths.private() / "training" / job.key.digest
        with machine_lock.shared(), live() as log:
            card = _make(job, data, workdir, log)
            log({"epoch": len(card.history), **card.scores})
        shutil.rmtree(workdir, ignore_errors=True)
        if card.made != UNTRAINED:  # which is constructed sooner than copied
            cache.save(job.key, title, job.folder)
    return card


def _adopt(key: CacheKey) -> bool:
    """A model that DVC has brought from elsewhere (`dvc pull`) goes into the store; whether there is one."""
    for path in sorted((paths.home() / paths.MODELS).glob(f"*/*/{MANIFEST}")):
        try:
            found = read_json(path)
        except UserError:  # half removed, or another tool's: it is not this one
            continue
        weights = path.with_name(WEIGHTS)
        if found.get("key") == key.digest and weights.exists() and sha256(weights) == found.get("sha256"):
            cache.save(key, f"{path.parent}", path.parent)
            return True
    return False


def _make(job: ModelJob, data: Path, workdir: Path, log: OnEpoch) -> ModelManifest:
    manifest = dataset.manifest(data)
    val, test = dataset.load_split(data, "val"), dataset.load_split(data, "test")
    if job.recipe == "none":
        require_fit(job, manifest, test)
    if job.train:
        from breakeven.pipeline.training.fit import (
            fit,  # seconds of imports, which a model that is taken does without
        )

        if (workdir / "last.ckpt").exists():
            print(f"{job.family}: resuming from {workdir / 'last.ckpt'}", file=sys.stderr)
        train = dataset.load_split(data, "train")
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
            f"{job.family}/{job.recipe}",
        )
    else:
        fitted = TrainingResult(job.build().eval())
    job.finish(fitted.model)
    predict = predictor(fitted.model, manifest.mean, manifest.std)
    size = saved_model.count_work(fitted.model, shape_of(manifest))
    card = ModelManifest(
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
        val_accuracy=_score(job, predict, val),
        test_accuracy=_score(job, predict, test),
        train_s=job.before_s + fitted.seconds,
        made=job.made,
        key=job.key.digest,
        pruning=job.pruning,
        details=job.details,
        origin=here(),
        history=fitted.history,
    )
    if said := doubt(job, card, val.labels, manifest.own_test):
        print(f"warning: {said}", file=sys.stderr)
    with atomic_folder(job.folder) as folder:
        return saved_model.save(folder, fitted.model, card)


def require_fit(job: ModelJob, manifest: DatasetManifest, test: Images) -> None:
    """Refuse a model that does not give a logit a class for two inputs, before anything is trained.

    Raises:
        UserError: with what it gives, and where the cause may be.
    """
    place = f"families.{job.family}.model"
    hint = "`_inputs_` there, and `size` and `colour` of the dataset, say what it is given"
    inputs = normalize(test.images[:2], manifest.mean, manifest.std)
    with torch.random.fork_rng():
        model = job.build()
        for training in [False, True] if job.train else [False]:
            try:
                with torch.no_grad():
                    found: Any = model.train(training)(inputs)
            except Exception as error:  # of code that is not ours
                first = (str(error).splitlines() or [""])[0][:200]
                raise UserError(
                    f"{place}: it stops on inputs of {tuple(inputs.shape)} ({type(error).__name__}: {first})"
                    f"; {hint}."
                ) from None
            expected = (len(inputs), len(manifest.classes))
            given = tuple(found.shape) if isinstance(found, Tensor) else f"a {type(found).__name__}"
            if given != expected:
                when = " while it is trained" if training else ""
                raise UserError(f"{place}: it gives {given}{when}, and logits would be {expected}; {hint}.")


def doubt(job: ModelJob, card: ModelManifest, labels: NDArray[np.int64], own_test: bool = True) -> str:
    """That what comes of a model would tell little of accuracy, if that is so.

    A training has taught nothing; the user's weights do not go with the data, or may have seen the test set.

    Args:
        labels: of the validation split.
        own_test: whether the source has a test set, or it was split off the training images.
    """
    chance = np.bincount(labels).max() / len(labels)
    if card.val_accuracy is None:
        return ""
    said = f"{card.val_accuracy:.2%} on validation is no more than naming the most frequent class gives"
    if card.val_accuracy <= chance and job.train:
        return (
            f"{job.family}/{job.recipe} has learned nothing: {said}. A lower learning rate than "
            f"{job.train.lr:g} may do (`lr`, of a family under families.{job.family}.train)."
        )
    if card.val_accuracy <= chance:
        return (
            f"{job.family}: the checkpoint does not go with the data: {said}. Classes are numbered in the "
            f"order of their sorted names; the dataset's `mean`, `std` and `size` should be those that it "
            f"was trained with."
        )
    if job.made == "checkpoint" and not own_test:
        return (
            f"{job.family}: the test set was split off train/, and the checkpoint may have been trained on "
            f"it: its accuracy would be too high. Bring a test/ that it has not seen."
        )
    return ""


def _score(
    job: ModelJob, predict: Callable[[NDArray[Any]], NDArray[np.float32]], data: Images
) -> float | None:
    return None if job.made == UNTRAINED else accuracy(predict_in_batches(predict, data.images), data.labels)


def describe(card: ModelManifest) -> str:
    """A model in one line."""
    size = f"{card.parameters:,} parameters, {card.macs:,} MACs, {card.made}"
    if card.val_accuracy is None or card.test_accuracy is None:
        return size
    scores = f"accuracy {card.val_accuracy:.2%} on validation, {card.test_accuracy:.2%} on test"
    return f"{size} in {card.train_s:.0f} s; {scores}"
