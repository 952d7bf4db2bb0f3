"""The Lightning module: loss, optimizer, schedule, and the scores by torchmetrics."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy

from breakeven.artifacts.preprocess import Preprocess
from breakeven.config.training import TrainingConfig
from breakeven.core.errors import UserError
from breakeven.pipeline.training.batches import augment, shrink
from breakeven.pipeline.training.distillation import Teacher


class Classifier(LightningModule):
    """Trains `model` by `recipe` on batches of uint8 images."""

    def __init__(
        self,
        model: nn.Module,
        preprocess: Preprocess,
        recipe: TrainingConfig,
        classes: int,
        steps: int,
        seed: int,
        teacher: Teacher | None = None,
        form: torch.memory_format = torch.channels_last,
    ) -> None:
        """`steps` is the number of optimizer steps of the whole training, `form` that of the inputs."""
        super().__init__()
        self.form = form
        self.teacher = teacher  # no module, so that no checkpoint holds it
        self.model, self.preprocess = model, preprocess
        self.recipe, self.steps, self.seed = recipe, steps, seed
        self.train_accuracy = MulticlassAccuracy(classes, average="micro")
        self.val_accuracy = MulticlassAccuracy(classes, average="micro")

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) uint8 -> (N, classes) logits."""
        inputs = self.preprocess(images).clone(memory_format=self.form)  # which of one channel is both
        logits: Tensor = self.model(inputs)
        return logits

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """One step; a loss that is not a number ends the training."""
        images, labels = batch
        # Drawn from the step alone, so that a resumed training continues as an uninterrupted one.
        drawn = self.seed * 1_000_003 + self.global_step
        generator = torch.Generator(images.device).manual_seed(drawn)
        _seed(images.device, drawn + 500_009)  # of dropout
        r = self.recipe
        images = augment(images, generator, flip=r.flip, crop=r.crop, cutout=r.cutout)
        inputs = shrink(self.preprocess(images), r.side(self.current_epoch))
        inputs = inputs.clone(memory_format=self.form)
        logits = self.model(inputs).float()
        loss = F.cross_entropy(logits, labels, label_smoothing=r.label_smoothing)
        if self.teacher:
            loss = self.teacher.loss(loss, logits, inputs)
        if not torch.isfinite(loss):
            raise Diverged(
                f"The loss is {loss.item()} at step {self.global_step} (epoch {self.current_epoch}): "
                f"lower the learning rate (lr={r.lr}) or set clip_norm."
            )
        self.train_accuracy.update(logits, labels)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        self.log("train_accuracy", self.train_accuracy, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        """Loss and accuracy of the averaged weights, where there are any."""
        images, labels = batch
        logits = self(images).float()
        self.val_accuracy.update(logits, labels)
        self.log("val_loss", F.cross_entropy(logits, labels), on_epoch=True, prog_bar=True)
        self.log("val_accuracy", self.val_accuracy, on_epoch=True, prog_bar=True)

    def configure_optimizers(self) -> Any:
        """SGD with Nesterov momentum or AdamW; no weight decay on biases and normalizations."""
        r = self.recipe
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": r.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimizer: torch.optim.Optimizer
        if r.optimizer == "sgd":
            optimizer = torch.optim.SGD(groups, lr=r.lr, momentum=0.9, nesterov=True)
        else:
            optimizer = torch.optim.AdamW(groups, lr=r.lr)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _factor(self, step: int) -> float:
        """The learning rate as a share of its peak: cosine down, after a linear rise for "onecycle"."""
        rise = self.recipe.warmup * self.steps if self.recipe.schedule == "onecycle" else 0.0
        if step < rise:
            return max(step, 1) / rise
        return max(0.5 * (1 + math.cos(math.pi * (step - rise) / max(self.steps - rise, 1))), 1e-4)


def _seed(device: torch.device, seed: int) -> None:
    """Seed the processor's generator and the device's.

    torch.manual_seed seeds all devices; for one that is not in use it notes where it was called from, which
    took a fourth of a small model's step.
    """
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


class Diverged(UserError):
    """The loss became infinite or not a number."""
