"""The Lightning callbacks of a training: checkpoints, early stopping, history and progress."""

# ruff: noqa: D102  (Lightning documents its hooks)

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, WeightAveraging
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from breakeven.core.estimate import Estimate
from breakeven.core.files import atomic
from breakeven.core.progress import ProgressLine
from breakeven.pipeline.training.batches import Batches
from breakeven.pipeline.training.result import History, OnEpoch
from breakeven.plugins.tasks.base import Task


class LastBestCheckpoint(ModelCheckpoint):
    """A checkpoint of the best epoch. Of equally good epochs, it keeps the last.

    The last one has the lowest learning rate. Ties are common if there are few validation images.
    """

    def check_monitor_top_k(self, trainer: Trainer, current: Tensor | None = None) -> bool:
        equal = current is not None and self.best_model_score is not None and current == self.best_model_score
        return bool(equal) or super().check_monitor_top_k(trainer, current)


class ResumableEarlyStopping(EarlyStopping):
    """Early stopping that stops a resumed training at once if it had already stopped.

    This happens if the training was interrupted after it stopped and before its model was saved.
    """

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience


class AtomicCheckpointIO(TorchCheckpointIO):
    """A plugin that writes checkpoints atomically.

    Lightning writes a checkpoint elsewhere and moves it. Between two file systems, a move is a copy, which an
    interruption can leave incomplete.
    """

    def save_checkpoint(self, checkpoint: Any, path: Any, storage_options: Any | None = None) -> None:
        with atomic(Path(path)) as temporary:
            torch.save(checkpoint, temporary)


@dataclass
class HistoryRecorder(Callback):
    """A recorder of one row of figures for each epoch. Checkpoints contain the rows, so none is lost."""

    on_epoch: OnEpoch
    rows: History = field(default_factory=list)
    seconds: float = 0.0
    started: float = 0.0

    def __hash__(self) -> int:
        return id(self)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.started = time.perf_counter()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Lightning validates inside the epoch. The epoch's training figures follow with the next hook.
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


class TrainingProgress(Callback):
    """A display of progress: one line for each epoch in a log, a bar in a terminal."""

    line: ProgressLine

    def __init__(self, work: Sequence[float], history: HistoryRecorder, patience: int, task: Task) -> None:
        """Estimate the time left from the `work` of each epoch, in any unit."""
        self.work, self.history, self.task = work, history, task
        self.estimate = Estimate(sum(work), at_most=patience > 0)
        self.started = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.estimate.done = sum(self.work[: trainer.current_epoch])  # the epochs before an interruption

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.started = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        epoch = trainer.current_epoch
        partial = self.work[epoch] * (batch_idx + 1) / (trainer.num_training_batches + 1)
        text = f"epoch {epoch + 1}/{len(self.work)}"
        self.line.move(self.estimate.done + partial, text, self.estimate.left(partial))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        row, epoch = self.history.rows[-1], trainer.current_epoch
        self.estimate.finish(time.monotonic() - self.started, self.work[epoch])
        text = (
            f"epoch {epoch + 1}/{len(self.work)}: loss {row['train_loss']:.3f}, "
            f"val {self.task.said(row[f'val_{self.task.metric}'])}, {row['seconds']:.0f} s"
        )
        self.line.tell(self.estimate.done, text, self.estimate.left())


class EpochOrder(Callback):
    """A callback that tells `Batches` the current epoch, on which their order depends."""

    def __init__(self, batches: Batches) -> None:
        self.batches = batches

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.batches.epoch = trainer.current_epoch


def moving_average(decay: float) -> WeightAveraging:
    """Return a callback that validates and keeps the exponential moving average of the model's state.

    Tables of indices and counters are copied: an average of integers is none of them. A value that does not
    change keeps every bit, since a mask may hold infinities.
    """

    def average(averaged: Tensor, current: Tensor, count: Tensor) -> Tensor:
        if not current.is_floating_point():
            return current
        return torch.where(averaged == current, averaged, decay * averaged + (1 - decay) * current)

    return WeightAveraging(avg_fn=average)
