"""What is known of a model on disk: how it is constructed, what it takes, and how it came about.

Read without torch, by whoever only shows it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, write_json

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, MANIFEST = "model.safetensors", paths.MODEL_CARD
# The figures of a card that are logged as a run's metrics
METRICS = ("val_accuracy", "test_accuracy", "parameters", "macs", "activations", "megabytes", "train_s")


@dataclass(frozen=True)
class ImageInput:
    """What a model has to know of its dataset."""

    channels: int
    height: int  # pixels
    width: int  # pixels
    classes: int

    def example(self, count: int = 1) -> "Tensor":
        """A batch of zeros."""
        import torch

        return torch.zeros(count, self.channels, self.height, self.width)


@dataclass(frozen=True)
class TextInput:
    """The same of a dataset of texts."""

    length: int  # tokens in a text
    vocabulary: int
    classes: int

    def example(self, count: int = 1) -> "Tensor":
        """A batch of the first token."""
        import torch

        return torch.zeros(count, self.length, dtype=torch.int64)


def shape_from(facts: Mapping[str, int]) -> "ImageInput | TextInput":
    """The kind of shape that has these facts."""
    return TextInput(**facts) if "vocabulary" in facts else ImageInput(**facts)


@dataclass(frozen=True)
class ModelManifest:
    """All that is needed to rebuild a model, and the record of how it was made."""

    family: str
    recipe: str  # "none" for a model that is not compressed
    title: str  # of the dataset
    model: dict[str, Any]  # `_target_` and arguments
    shape: ImageInput | TextInput
    mean: list[float]
    std: list[float]
    parameters: int
    macs: int  # multiply-accumulates for one image
    activations: int  # numbers that its convolutions and linear layers read and write for one image
    val_accuracy: float | None  # None: untrained
    test_accuracy: float | None
    train_s: float  # seconds of training or fine-tuning
    made: str  # "trained", "checkpoint", "untrained" or the compression
    key: str  # of what it was made from: configuration and data
    pruning: list[Any] = field(default_factory=list)  # torch-pruning's history
    details: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)  # machine and commit
    history: list[dict[str, float]] = field(default_factory=list)  # one row an epoch
    sha256: str = ""  # of the weights
    megabytes: float = 0.0  # of their file, 10**6 bytes
    reason: str = ""  # why a compression gave none; then the figures are 0

    @property
    def scores(self) -> dict[str, float]:
        """The figures that are logged as a run's metrics."""
        return {name: value for name in METRICS if (value := getattr(self, name)) is not None}


def save_reason(folder: Path, before: ModelManifest, recipe: str, reason: str) -> None:
    """Write into `folder` why there is no model that `recipe` makes of the one whose card is `before`."""
    nothing: dict[str, Any] = {
        "parameters": 0,
        "macs": 0,
        "activations": 0,
        "train_s": 0.0,
        "megabytes": 0.0,
        "sha256": "",
        "history": [],
    }
    write_json(folder / MANIFEST, asdict(replace(before, recipe=recipe, reason=reason, **nothing)))


def relabel(folder: Path, **changes: Any) -> ModelManifest:
    """Change what only names the model in `folder` (family, recipe); returns the card."""
    card = replace(read_card(folder), **changes)
    write_json(folder / MANIFEST, asdict(card))
    return card


def read_card(folder: Path) -> ModelManifest:
    """The card in `folder`."""
    values = read_json(folder / MANIFEST)
    try:
        return ModelManifest(**{**values, "shape": shape_from(values["shape"])})
    except (KeyError, TypeError):
        raise UserError(f"{folder / MANIFEST} is of another version of Breakeven: run `dvc repro`.") from None
