"""One training, from the first batch or from where an interrupted one stopped."""

import logging
import signal
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor, nn

from breakeven.artifacts.dataset import Images
from breakeven.artifacts.inference import safe_batch_size
from breakeven.artifacts.preprocess import Preprocess, layout, normalize
from breakeven.artifacts.saved_model import load_tensors
from breakeven.config.training import TrainingConfig
from breakeven.core.files import atomic
from breakeven.core.progress import Estimate, ProgressLine, shown
from breakeven.pipeline.training.batches import Batches
from breakeven.pipeline.training.distillation import Teacher
from breakeven.pipeline.training.module import Classifier, Diverged
from breakeven.pipeline.training.precision import bf16
from breakeven.pipeline.training.result import History, OnEpoch, TrainingResult


def fit(
    build: Callable[[], nn.Module],
    train: Images,
    val: Images,
    mean: Sequence[float],
    std: Sequence[float],
    classes: int,
    recipe: TrainingConfig,
    seed: int,
    workdir: Path,
    on_epoch: OnEpoch = lambda row: None,
    teacher: Teacher | None = None,
    title: str = "training",
) -> TrainingResult:
    """Train the model that `build` makes, and keep the best epoch.

    Args:
        build: makes the model; called after seeding.
        workdir: holds the checkpoints; a training that finds `last.ckpt` there goes on from it.
        on_epoch: is given the epoch's figures, once an epoch.
        teacher: a model to follow.
        title: what the progress is called.

    Raises:
        Diverged: the loss is not a number.
        KeyboardInterrupt, SystemExit: the training was interrupted; it can be resumed.
    """
    _quiet()
    seed_everything(seed, workers=True, verbose=False)
    # A model that was loaded is in evaluation mode, which Lightning would keep.
    model = build().train()
    form = layout(model, normalize(train.images[:2], mean, std))
    model = model.to(memory_format=form)
    if teacher:
        teacher.model.to(memory_format=form)
    batches = Batches(train, recipe.batch_size, shuffle=True, seed=seed, drop_last=True)
    steps = recipe.epochs * len(batches)
    module = Classifier(model, Preprocess(mean, std), recipe, classes, steps, seed, teacher, form)
    best = _LastOfBest(workdir, "best", monitor="val_accuracy", mode="max", enable_version_counter=False)
    # Lightning's own `save_last` saves nothing after an epoch that is not the best.
    latest = ModelCheckpoint(workdir, "last", enable_version_counter=False)
    history = _History(on_epoch)
    # Images of half the side take a fourth of the time.
    work = [recipe.side(epoch) ** 2 for epoch in range(recipe.epochs)]
    progress = _Progress(work, history, recipe.patience)
    callbacks: list[Callback] = [best, latest, history, _Order(batches), progress]
    if recipe.patience:
        callbacks.append(_Patience("val_accuracy", mode="max", patience=recipe.patience))
    if recipe.ema:
        callbacks.append(EMAWeightAveraging(decay=recipe.ema))
    trainer = Trainer(
        max_epochs=recipe.epochs,
        devices=1,  # Lightning would start this stage once more for each GPU
        callbacks=callbacks,
        logger=False,
        precision="bf16-mixed" if bf16(recipe, model, train.images.shape[1:]) else "32-true",
        gradient_clip_val=recipe.clip_norm or None,
        enable_model_summary=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
        default_root_dir=workdir,
        plugins=[_WholeFiles()],
    )
    last = workdir / "last.ckpt"
    try:
        with shown(title, progress.estimate.total) as progress.told:
            trainer.fit(
                module,
                batches,
                Batches(val, safe_batch_size(val.images, 500)),
                ckpt_path=last if last.exists() else None,
                weights_only=True,
            )
    except SystemExit as error:
        if error.code == 1:  # what Lightning makes of Ctrl-C
            raise KeyboardInterrupt from None
        raise
    if trainer.received_sigterm:  # Lightning would end an unfinished training with exit code 0
        raise SystemExit(128 + signal.SIGTERM)
    state = torch.load(best.best_model_path, weights_only=True)["state_dict"]
    # With a moving average, Lightning stores the averaged weights as the checkpoint's own.
    load_tensors(model, {k.removeprefix("model."): v for k, v in state.items() if k.startswith("model.")})
    # Not every buffer: an observer of a layer that is never called is still at infinity.
    held = [*model.named_parameters(), *(b for b in model.named_buffers() if "running_" in b[0])]
    if odd := [name for name, value in held if not torch.isfinite(value).all()]:
        raise Diverged(f"{odd[0]} is not finite after the training (lr={recipe.lr}): try precision=fp32.")
    return TrainingResult(model.eval(), history.seconds, history.rows)


class _LastOfBest(ModelCheckpoint):
    """Of equally good epochs the last, whose learning rate is the lowest: few images make many equals."""

    def check_monitor_top_k(self, trainer: Trainer, current: Tensor | None = None) -> bool:
        equal = current is not None and self.best_model_score is not None and current == self.best_model_score
        return bool(equal) or super().check_monitor_top_k(trainer, current)


class _Patience(EarlyStopping):
    """A training that was stopped, and interrupted before its model was kept, is still stopped."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience


class _WholeFiles(TorchCheckpointIO):
    """Lightning writes a checkpoint elsewhere and moves it, which between two file systems is a copy."""

    def save_checkpoint(self, checkpoint: Any, path: Any, storage_options: Any | None = None) -> None:
        with atomic(Path(path)) as temporary:
            torch.save(checkpoint, temporary)


@dataclass
class _History(Callback):
    """One row of figures an epoch, kept in the checkpoint so that a resumed training has them all."""

    on_epoch: OnEpoch
    rows: History = field(default_factory=list)
    seconds: float = 0.0
    started: float = 0.0

    def __hash__(self) -> int:
        return id(self)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.started = time.perf_counter()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Train figures of this epoch come with the next hook; Lightning validates inside the epoch.
        self.seconds += time.perf_counter() - self.started
        self.started = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        rate = float(trainer.optimizers[0].param_groups[0]["lr"])
        self.rows.append({"epoch": trainer.current_epoch, **figures, "lr": rate, "seconds": self.seconds})
        self.on_epoch(self.rows[-1])

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows, self.seconds = state_dict["rows"], state_dict["seconds"]


class _Progress(Callback):
    """A line an epoch in a log; in a terminal a bar that moves with the batches."""

    told: ProgressLine

    def __init__(self, work: Sequence[float], history: _History, patience: int) -> None:
        """`work`: of each epoch, in any unit."""
        self.work, self.history = work, history
        self.estimate = Estimate(sum(work), at_most=patience > 0)
        self.started = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.estimate.done = sum(self.work[: trainer.current_epoch])  # before it was interrupted

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.started = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        epoch = trainer.current_epoch
        begun = self.work[epoch] * (batch_idx + 1) / (trainer.num_training_batches + 1)
        what = f"epoch {epoch + 1}/{len(self.work)}"
        self.told.move(self.estimate.done + begun, what, self.estimate.left(begun))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        row, epoch = self.history.rows[-1], trainer.current_epoch
        self.estimate.finish(time.monotonic() - self.started, self.work[epoch])
        what = (
            f"epoch {epoch + 1}/{len(self.work)}: loss {row['train_loss']:.3f}, "
            f"val accuracy {row['val_accuracy']:.2%}, {row['seconds']:.0f} s"
        )
        self.told.tell(self.estimate.done, what, self.estimate.left())


class _Order(Callback):
    """Tells the batches which epoch it is, also after a resume."""

    def __init__(self, batches: Batches) -> None:
        self.batches = batches

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.batches.epoch = trainer.current_epoch


def _quiet() -> None:
    """Leave out what Lightning tells that does not concern a user of the pipeline."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for message in (
        ".*does not have many workers.*",
        ".*isinstance.treespec, LeafSpec.*",
        "Checkpoint directory .*",
    ):
        warnings.filterwarnings("ignore", message)
