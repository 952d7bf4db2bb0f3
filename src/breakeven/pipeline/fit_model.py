"""The maker of models on disk: it trains a model or uses given weights, scores it, and saves it."""

import shutil
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from breakeven.artifacts import dataset, saved_model
from breakeven.artifacts.dataset import Images
from breakeven.artifacts.inference import predict_in_batches
from breakeven.artifacts.model_manifest import (
    MANIFEST,
    WEIGHTS,
    ModelManifest,
    number_scored,
    read_card,
    relabel,
)
from breakeven.artifacts.model_size import count_work
from breakeven.artifacts.module_modes import evaluated
from breakeven.artifacts.preprocess import predictor
from breakeven.artifacts.records import fields_of, leading
from breakeven.config.training import TrainingConfig
from breakeven.core import cache, machine_lock, paths
from breakeven.core.cache import CacheKey
from breakeven.core.digests import sha256
from breakeven.core.errors import UserError
from breakeven.core.files import atomic_folder
from breakeven.core.git import here
from breakeven.pipeline.model_contract import ModelContract, open_contract
from breakeven.pipeline.sanity import score_warning
from breakeven.pipeline.training.distillation import Teacher
from breakeven.pipeline.training.result import OnEpoch, TrainingResult
from breakeven.plugins.tasks.base import Task, figure_text, metric_words

UNTRAINED = "untrained"  # the model keeps its random initial weights


@dataclass(frozen=True)
class ModelJob:
    """The description of a model that a stage makes."""

    family: str
    recipe: str  # "none", or the compression
    folder: Path  # where the model is saved
    spec: dict[str, Any]  # `_target_` and arguments
    build: Callable[[], nn.Module]
    train: TrainingConfig | None  # None: the weights stay as they are
    task: Task
    seed: int
    key: CacheKey
    made: str  # how it is made: "trained", "checkpoint", `UNTRAINED`, or the compression's name
    pruning: Callable[[], list[Any]] = list  # the steps that rebuild a pruned structure, once it is built
    teacher: Teacher | None = None
    finish: Callable[[nn.Module], None] = lambda model: None  # after the training
    before_s: float = 0.0  # seconds of training in the recipe's earlier steps
    details: dict[str, Any] = field(default_factory=dict)
    varying: list[dict[str, Any]] = field(default_factory=list)  # see ModelManifest

    @property
    def scored(self) -> int:
        """Return how many of the model's outputs are scored."""
        return number_scored(self.spec)


def obtain(job: ModelJob, data: Path, live: Callable[[], AbstractContextManager[OnEpoch]]) -> ModelManifest:
    """Restore the model from the cache, or make it and save it there; its folder is written atomically.

    Args:
        data: the folder of the prepared dataset.
        live: opens a run that logs each epoch's figures, and at the end the scores.
    """
    title = f"{job.family}/{job.recipe}: {job.made}"
    with cache.exclusive(job.key, title):
        if cache.restore(job.key, job.folder) or (
            _cache_pulled_model(job.key) and cache.restore(job.key, job.folder)
        ):
            print(f"{title}: taken from {cache.folder(job.key)}")
            return relabel(job.folder, family=job.family, recipe=job.recipe, varying=job.varying)
        workdir = paths.private() / "training" / job.key.digest
        with machine_lock.shared(), live() as log:
            card = _make(job, data, workdir, log)
            log({"epoch": len(card.history), **card.scores})
        shutil.rmtree(workdir, ignore_errors=True)
        if card.made != UNTRAINED:  # constructing an untrained model is faster than copying it
            cache.save(job.key, title, job.folder)
    return card


def _cache_pulled_model(key: CacheKey) -> bool:
    """Save a model in the cache that `dvc pull` brought from elsewhere; return whether there is one."""
    for path in sorted((paths.home() / paths.MODELS).glob(f"*/*/{MANIFEST}")):
        try:
            card = read_card(path.parent)
        except UserError:  # half removed, or another tool's file
            continue
        weights = path.with_name(WEIGHTS)
        if card.key == key.digest and weights.exists() and sha256(weights) == card.sha256:
            cache.save(key, f"{path.parent}", path.parent)
            return True
    return False


def _make(job: ModelJob, data: Path, workdir: Path, log: OnEpoch) -> ModelManifest:
    manifest, test = dataset.manifest(data), dataset.load_split(data, "test")
    if reason := job.task.objection(test.labels):
        raise UserError(
            f"families.{job.family}.task.name={job.task.name}: does not go with the dataset "
            f"{manifest.dataset}: {reason}."
        )
    with open_contract(job, manifest, test.images) as contract:
        return _make_within(contract, test, data, workdir, log)


def _make_within(
    contract: ModelContract, test: Images, data: Path, workdir: Path, log: OnEpoch
) -> ModelManifest:
    job, manifest = contract.job, contract.manifest
    val = dataset.load_split(data, "val")
    if job.train:
        # Imported here because it takes seconds, while the contract's process imports torch, and models that
        # are not trained do not need it.
        from breakeven.pipeline.training.fit import FitInputs, fit
    if job.recipe == "none":
        contract.check_before_training()
    if job.train:
        if (workdir / "last.ckpt").exists():
            print(f"{job.family}: resuming from {workdir / 'last.ckpt'}", file=sys.stderr)
        trained = fit(
            FitInputs(
                build=job.build,
                train=dataset.load_split(data, "train"),
                val=val,
                mean=manifest.mean,
                std=manifest.std,
                task=job.task,
                config=job.train,
                seed=job.seed,
                workdir=workdir,
                on_epoch=log,
                teacher=job.teacher,
                title=f"{job.family}/{job.recipe}",
            )
        )
    else:
        trained = TrainingResult(evaluated(job.build()))
    job.finish(trained.model)
    predict = predictor(trained.model, manifest.mean, manifest.std)
    size = count_work(trained.model, manifest.shape)
    started = time.perf_counter()
    test_score, _ = _score(job, predict, test)
    seconds = time.perf_counter() - started if test_score is not None else float("inf")
    val_score, val_outputs = _score(job, predict, val)
    card = ModelManifest(
        family=job.family,
        recipe=job.recipe,
        title=manifest.title,
        model=job.spec,
        shape=manifest.shape,
        mean=manifest.mean,
        std=manifest.std,
        parameters=size.parameters,
        macs=size.macs,
        activations=size.activations,
        used_weights=size.used_weights,
        used_macs=size.used_macs,
        val_score=val_score,
        test_score=test_score,
        train_s=job.before_s + trained.seconds,
        made=job.made,
        key=job.key.digest,
        pruning=job.pruning(),
        details=job.details,
        origin=here(),
        history=trained.history,
        task=job.task.model_dump(),
        metric=job.task.metric,
        unit=job.task.unit,
        output_count=len(fields_of(predict(val.images[:1]))),
        outputs=list(job.task.output_shape(manifest.shape.sample, manifest.shape.classes)),
        varying=job.varying,
    )
    warning = "" if val_outputs is None else score_warning(job, card, val_outputs, val, manifest)
    if warning:
        print(f"warning: {warning}", file=sys.stderr)
    with atomic_folder(job.folder) as folder:
        card = saved_model.save(folder, trained.model, card)
        contract.check_saved(folder, lambda images: predict_in_batches(predict, images), seconds)
    return card


def _score(
    job: ModelJob, predict: Callable[[NDArray[Any]], NDArray[np.float32]], data: Images
) -> tuple[float | None, NDArray[np.float32] | None]:
    """Return the score of a model and its outputs; None of a model with random weights."""
    if job.made == UNTRAINED:
        return None, None
    outputs = leading(predict_in_batches(predict, data.images), job.scored)
    return float(job.task.scores(outputs, data.labels).mean()), outputs


def describe(card: ModelManifest) -> str:
    """Return a line about a model."""
    size = f"{card.parameters:,} parameters, {card.macs:,} MACs, {card.made}"
    if card.val_score is None or card.test_score is None:
        return size
    val, test = (figure_text(score, card.unit) for score in (card.val_score, card.test_score))
    scores = f"{metric_words(card.metric)} {val} on validation, {test} on test"
    return f"{size} in {card.train_s:.0f} s; {scores}"
