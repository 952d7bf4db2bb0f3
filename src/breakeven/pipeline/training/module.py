"""The Lightning module of a training: the task's loss and scores, optimizer and schedule."""

import math
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torchmetrics import MeanMetric

from breakeven.artifacts.module_modes import scored_outputs
from breakeven.artifacts.preprocess import Preprocess
from breakeven.artifacts.tensors import Tensors, call, each, laid_out, to_array
from breakeven.config.training import TrainingConfig
from breakeven.core.errors import UserError
from breakeven.pipeline.training.batches import augment, shrink
from breakeven.pipeline.training.distillation import Teacher
from breakeven.plugins.tasks.base import Task


class TaskTraining(LightningModule):
    """A Lightning module that trains `model` for a task, with the settings of `config`."""

    def __init__(
        self,
        model: nn.Module,
        preprocess: Preprocess | None,
        config: TrainingConfig,
        task: Task,
        steps: int,
        seed: int,
        teacher: Teacher | None = None,
        memory_format: torch.memory_format = torch.channels_last,
    ) -> None:
        """Prepare a training.

        Args:
            preprocess: None for inputs that are taken as they are.
            steps: number of the optimizer's steps in the whole training.
            memory_format: of the inputs.
        """
        super().__init__()
        self.memory_format = memory_format
        self.teacher = teacher  # `Teacher` is no module, so that checkpoints do not contain it
        self.model, self.preprocess = model, preprocess
        self.config, self.task, self.steps, self.seed = config, task, steps, seed
        self.train_score, self.val_score = MeanMetric(), MeanMetric()

    def forward(self, samples: Tensors) -> Tensors:
        """Return the outputs that are scored, (N, ...) each, for samples of the dataset."""
        return self._outputs(self._laid_out(self._normalized(samples)))

    def _outputs(self, inputs: Tensors) -> Tensors:
        return each(Tensor.float, scored_outputs(self.model, call(self.model, inputs)))

    def _normalized(self, samples: Tensors) -> Tensors:
        return self.preprocess(samples) if self.preprocess else samples

    def _laid_out(self, inputs: Tensors) -> Tensors:
        return laid_out(inputs, self.memory_format)

    def training_step(self, batch: tuple[Tensors, Tensor], index: int) -> Tensor:
        """Return the loss of a step.

        Raises:
            Diverged: the loss is not a number.
        """
        samples, targets = batch
        device = targets.device
        # Augmentation depends only on the seed and the step, so that a resumed training equals an
        # uninterrupted one.
        step_seed = self.seed * 1_000_003 + self.global_step
        generator = torch.Generator(device).manual_seed(step_seed)
        _seed(device, step_seed + 500_009)  # for dropout
        config = self.config
        if isinstance(samples, Tensor) and samples.ndim == 4:
            images = augment(samples, generator, flip=config.flip, crop=config.crop, cutout=config.cutout)
            normalized = self._normalized(images)
            assert isinstance(normalized, Tensor)
            samples = shrink(normalized, config.side(self.current_epoch))
        else:
            samples = self._normalized(samples)
        inputs = self._laid_out(samples)
        outputs = self._outputs(inputs)
        loss = self.task.loss(outputs, targets, config.label_smoothing)
        if self.teacher:
            loss = self.teacher.loss(loss, outputs, inputs, self.task)
        if not torch.isfinite(loss):
            raise Diverged(
                f"The loss is {loss.item()} at step {self.global_step} (epoch {self.current_epoch}): "
                f"lower the learning rate (lr={config.lr}) or set clip_norm, both below `train` in the "
                "family's yaml."
            )
        self.train_score.update(self._scores(outputs, targets))
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        self.log(f"train_{self.task.metric}", self.train_score, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: tuple[Tensors, Tensor], index: int) -> None:
        """Log loss and score on the validation set, of the averaged weights if the training averages."""
        samples, targets = batch
        outputs = self(samples)
        self.val_score.update(self._scores(outputs, targets))
        self.log("val_loss", self.task.loss(outputs, targets), on_epoch=True, prog_bar=True)
        self.log(f"val_{self.task.metric}", self.val_score, on_epoch=True, prog_bar=True)

    def _scores(self, outputs: Tensors, targets: Tensor) -> Tensor:
        """Return the score of each sample, (N,)."""
        scores = self.task.scores(to_array(outputs), targets.cpu().numpy())
        return torch.from_numpy(scores).float().to(targets.device)

    def configure_optimizers(self) -> Any:
        """Return SGD with Nesterov momentum or AdamW, without weight decay on biases and normalizations."""
        config = self.config
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimizer: torch.optim.Optimizer
        if config.optimizer == "sgd":
            optimizer = torch.optim.SGD(groups, lr=config.lr, momentum=0.9, nesterov=True)
        else:
            optimizer = torch.optim.AdamW(groups, lr=config.lr)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _factor(self, step: int) -> float:
        """Return the learning rate as a share of its peak.

        It falls as a cosine, after a linear rise if the schedule is "onecycle".
        """
        rise = self.config.warmup * self.steps if self.config.schedule == "onecycle" else 0.0
        if step < rise:
            return max(step, 1) / rise
        return max(0.5 * (1 + math.cos(math.pi * (step - rise) / max(self.steps - rise, 1))), 1e-4)


def _seed(device: torch.device, seed: int) -> None:
    """Seed the processor's generator and the device's.

    `torch.manual_seed` seeds all devices. It records a stack trace for each device that is not in use, which
    is slow beside a small model's step.
    """
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


class Diverged(UserError):
    """The loss became infinite or not a number."""
