"""The run of one training, from the first batch or from the last checkpoint of an interrupted one."""

import logging
import signal
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning.pytorch import Callback, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn

from breakeven.artifacts.checkpoint import first_not_finite
from breakeven.artifacts.dataset import Images
from breakeven.artifacts.inference import safe_batch_size
from breakeven.artifacts.module_modes import evaluated, materialize
from breakeven.artifacts.preprocess import Preprocess, layout, normalize
from breakeven.artifacts.saved_model import load_tensors
from breakeven.config.training import TrainingConfig
from breakeven.core.progress import shown
from breakeven.pipeline.training.batches import Batches
from breakeven.pipeline.training.callbacks import (
    AtomicCheckpointIO,
    EpochOrder,
    HistoryRecorder,
    LastBestCheckpoint,
    ResumableEarlyStopping,
    TrainingProgress,
    moving_average,
)
from breakeven.pipeline.training.distillation import Teacher
from breakeven.pipeline.training.module import Diverged, TaskTraining
from breakeven.pipeline.training.precision import use_bf16
from breakeven.pipeline.training.result import OnEpoch, TrainingResult
from breakeven.plugins.tasks.base import Task

VALIDATION_BATCH = 500  # images at most


@dataclass(frozen=True)
class FitInputs:
    """The inputs of a training: model, data, settings and callbacks."""

    build: Callable[[], nn.Module]  # constructs the model; called after seeding
    train: Images
    val: Images
    mean: Sequence[float]
    std: Sequence[float]
    task: Task
    config: TrainingConfig
    seed: int
    workdir: Path  # of the checkpoints; a training that finds `last.ckpt` there is resumed from it
    on_epoch: OnEpoch = lambda row: None  # gets the epoch's figures, once an epoch
    teacher: Teacher | None = None  # a model to follow
    title: str = "training"  # of the progress line


def fit(inputs: FitInputs) -> TrainingResult:
    """Train the model, and return it with the weights of its best epoch.

    Raises:
        Diverged: the loss is not a number.
        KeyboardInterrupt, SystemExit: the training was interrupted; it can be resumed.
    """
    _silence_lightning()
    config = inputs.config
    seed_everything(inputs.seed, workers=True, verbose=False)
    # A loaded model is in evaluation mode, and Lightning would not change that.
    model = inputs.build()
    example = normalize(inputs.train.images[:2], inputs.mean, inputs.std)
    materialize(model, example)
    model.train()
    memory_format = layout(model, example)
    model = model.to(memory_format=memory_format)
    if inputs.teacher:
        inputs.teacher.model.to(memory_format=memory_format)
    batches = Batches(inputs.train, config.batch_size, shuffle=True, seed=inputs.seed, drop_last=True)
    module = TaskTraining(
        model,
        Preprocess(inputs.mean, inputs.std, inputs.train.images.ndim) if inputs.mean else None,
        config,
        inputs.task,
        steps=config.epochs * len(batches),
        seed=inputs.seed,
        teacher=inputs.teacher,
        memory_format=memory_format,
    )
    monitor, mode = _watched(inputs.task)
    best = LastBestCheckpoint(
        inputs.workdir, "best", monitor=monitor, mode=mode, enable_version_counter=False
    )
    history = HistoryRecorder(inputs.on_epoch)
    # Images of half the side take a fourth of the time.
    work = [config.side(epoch) ** 2 for epoch in range(config.epochs)]
    progress = TrainingProgress(work, history, config.patience, inputs.task)
    trainer = Trainer(
        max_epochs=config.epochs,
        devices=1,  # with several GPUs, Lightning would start this stage again for each
        callbacks=_callbacks(inputs, batches, best, history, progress),
        logger=False,
        precision="bf16-mixed" if use_bf16(config, model, inputs.train.images.shape[1:]) else "32-true",
        gradient_clip_val=config.clip_norm or None,
        enable_model_summary=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
        default_root_dir=inputs.workdir,
        plugins=[AtomicCheckpointIO()],
    )
    with shown(inputs.title, progress.estimate.total) as progress.line:
        _run(trainer, module, batches, inputs)
    _load_best(model, Path(best.best_model_path), config)
    return TrainingResult(evaluated(model), history.seconds, history.rows)


def _callbacks(
    inputs: FitInputs,
    batches: Batches,
    best: LastBestCheckpoint,
    history: HistoryRecorder,
    progress: TrainingProgress,
) -> list[Callback]:
    config = inputs.config
    # Lightning's own `save_last` saves nothing after an epoch that is not the best.
    latest = ModelCheckpoint(inputs.workdir, "last", enable_version_counter=False)
    callbacks: list[Callback] = [best, latest, history, EpochOrder(batches), progress]
    if config.patience:
        monitor, mode = _watched(inputs.task)
        callbacks.append(ResumableEarlyStopping(monitor, mode=mode, patience=config.patience))
    if config.ema:
        callbacks.append(moving_average(config.ema))
    return callbacks


def _watched(task: Task) -> tuple[str, str]:
    """Return which figure tells the best epoch, and whether it should be high, as Lightning names them."""
    return f"val_{task.metric}", "max" if task.better == "higher" else "min"


def _run(trainer: Trainer, module: TaskTraining, batches: Batches, inputs: FitInputs) -> None:
    """Train, and raise the interruptions that Lightning hides."""
    last = inputs.workdir / "last.ckpt"
    try:
        trainer.fit(
            module,
            batches,
            Batches(inputs.val, safe_batch_size(inputs.val.images, VALIDATION_BATCH)),
            ckpt_path=last if last.exists() else None,
            weights_only=True,
        )
    except SystemExit as error:
        if error.code == 1:  # Lightning turns Ctrl-C into this
            raise KeyboardInterrupt from None
        raise
    if trainer.received_sigterm:  # Lightning would end an unfinished training with exit code 0
        raise SystemExit(128 + signal.SIGTERM)


def _load_best(model: nn.Module, checkpoint: Path, config: TrainingConfig) -> None:
    """Load the best epoch's weights into the model.

    Raises:
        Diverged: a weight is not finite.
    """
    state = torch.load(checkpoint, weights_only=True)["state_dict"]
    # With a moving average, Lightning stores the averaged weights as the checkpoint's own.
    load_tensors(model, {k.removeprefix("model."): v for k, v in state.items() if k.startswith("model.")})
    if name := first_not_finite(model):
        raise Diverged(f"{name} is not finite after the training (lr={config.lr}): try precision=fp32.")


def _silence_lightning() -> None:
    """Silence messages of Lightning that do not concern a user of the pipeline."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for message in (
        ".*does not have many workers.*",
        ".*isinstance.treespec, LeafSpec.*",
        "Checkpoint directory .*",
        ".*`srun` command is available.*",
        r".*module\(s\) in eval mode at the start of training.*",  # a model may freeze a part of itself
    ):
        warnings.filterwarnings("ignore", message)
