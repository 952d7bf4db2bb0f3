"""The settings of one training."""

from typing import Annotated, Literal

from pydantic import Field

from breakeven.core.plugin import StrictModel

Fraction = Annotated[float, Field(ge=0, lt=1)]


class TrainingConfig(StrictModel):
    """The settings of a training. `conf/train/` sets every key."""

    epochs: int = Field(gt=0, description="passes over the training images, at most")
    batch_size: int = Field(gt=1, description="images a step")
    optimizer: Literal["sgd", "adamw"] = Field(description="what takes the steps")
    lr: float = Field(gt=0, description="the peak of the schedule")
    schedule: Literal["onecycle", "cosine"] = Field(description="how the learning rate changes")
    warmup: Fraction = Field(description="share of the steps until the peak (onecycle)")
    weight_decay: float = Field(ge=0, description="of the optimizer")
    label_smoothing: Fraction = Field(description="share of a label that goes to all classes")
    flip: bool = Field(description="mirror half of the images, left to right")
    crop: int = Field(ge=0, description="pixels by which an image is shifted at most")
    cutout: int = Field(ge=0, description="side of the square that is blanked, pixels")
    clip_norm: float = Field(ge=0, description="gradient norm; 0: no clipping")
    ema: Fraction = Field(description="decay of the moving average of the weights, a step; 0: none")
    sides: list[Annotated[float, Field(gt=0, le=1)]] = Field(
        min_length=1,
        description="side of the training images, as a share of the full one, over equal parts of the epochs",
    )
    patience: int = Field(ge=0, description="epochs without a better validation before stopping; 0: never")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        description="auto: bf16 autocast where the processor has it in hardware"
    )

    def side(self, epoch: int) -> float:
        """Return the side of the training images in an epoch, as a share of the full one."""
        return self.sides[epoch * len(self.sides) // self.epochs]
