"""Manifests of models on disk: how a model is constructed, what inputs it takes, and how it was made.

Reading a manifest does not import torch, so that commands which only show it start quickly.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, write_json
from breakeven.core.secrets import redact

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, MANIFEST = "model.safetensors", paths.MODEL_CARD
# The figures of a manifest that are logged as a run's metrics
METRICS = ("parameters", "macs", "activations", "megabytes", "train_s")


@dataclass(frozen=True)
class ImageInput:
    """The facts about a dataset of images that a model needs."""

    channels: int
    height: int  # pixels
    width: int  # pixels
    classes: int  # or numbers to predict

    @property
    def sample(self) -> tuple[int, ...]:
        """Return (C, H, W)."""
        return (self.channels, self.height, self.width)

    def example(self, count: int = 1) -> "Tensor":
        """Return a (count, C, H, W) batch of zeros."""
        import torch

        return torch.zeros(count, *self.sample)


@dataclass(frozen=True)
class TextInput:
    """The facts about a dataset of texts that a model needs."""

    length: int  # tokens in a text
    vocabulary: int
    classes: int  # or numbers to predict

    @property
    def sample(self) -> tuple[int, ...]:
        """Return (L,)."""
        return (self.length,)

    def example(self, count: int = 1) -> "Tensor":
        """Return a (count, L) batch that repeats token 0."""
        import torch

        return torch.zeros(count, self.length, dtype=torch.int64)


@dataclass(frozen=True)
class FeatureInput:
    """The facts about a table of numbers that a model needs."""

    features: int  # columns
    classes: int  # or numbers to predict

    @property
    def sample(self) -> tuple[int, ...]:
        """Return (F,)."""
        return (self.features,)

    def example(self, count: int = 1) -> "Tensor":
        """Return a (count, F) batch of zeros."""
        import torch

        return torch.zeros(count, self.features)


@dataclass(frozen=True)
class FieldsInput:
    """The facts about samples of several inputs that a model needs."""

    fields: dict[str, list[Any]]  # name -> NumPy's name of the type, and the shape; as the model's arguments
    classes: int  # or numbers to predict
    vocabulary: int = 0  # how many tokens there are; 0 without any

    @property
    def sample(self) -> tuple[int, ...]:
        """Return the shape of the first input."""
        return tuple(next(iter(self.fields.values()))[1:])

    def example(self, count: int = 1) -> "tuple[Tensor, ...]":
        """Return a batch of each input: ones of integers, so that no mask hides all; zeros of floats."""
        import torch

        batches = []
        for kind, *shape in self.fields.values():
            dtype = getattr(torch, kind)
            make = torch.zeros if dtype.is_floating_point else torch.ones
            batches.append(make(count, *shape, dtype=dtype))
        return tuple(batches)


Input = ImageInput | TextInput | FeatureInput | FieldsInput


def shape_from(facts: Mapping[str, Any]) -> Input:
    """Return the kind of input that the facts name: a vocabulary is that of texts, features of a table."""
    if "fields" in facts:
        return FieldsInput(**facts)
    if "vocabulary" in facts:
        return TextInput(**facts)
    return FeatureInput(**facts) if "features" in facts else ImageInput(**facts)


@dataclass(frozen=True)
class ModelManifest:
    """Everything that is needed to rebuild a model, and the record of how it was made."""

    family: str
    recipe: str  # "none" for a model that is not compressed
    title: str  # title of the dataset
    model: dict[str, Any]  # `_target_` and arguments
    shape: Input
    mean: list[float]
    std: list[float]
    parameters: int
    macs: int  # multiply-accumulates for one image
    activations: int  # numbers that its convolutions and linear layers read and write for one image
    val_score: float | None  # of the task's metric; None: untrained
    test_score: float | None
    train_s: float  # seconds of training or fine-tuning
    made: str  # "trained", "checkpoint", "untrained" or the compression
    key: str  # digest of what it was made from: configuration and data
    pruning: list[Any] = field(default_factory=list)  # torch-pruning's history
    details: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)  # machine and commit
    history: list[dict[str, float]] = field(default_factory=list)  # one row for each epoch
    sha256: str = ""  # of the file of weights
    megabytes: float = 0.0  # size of the file of weights, 10**6 bytes
    reason: str = ""  # why a compression made no model; then the figures are 0
    used_weights: int | None = None  # parameters that a call has to read (see model_size); None: not counted
    used_macs: int | None = None  # multiply-accumulates for one image, without those with zero padding
    failed: bool = False  # whether something broke; otherwise the compression cannot be applied
    task: dict[str, Any] = field(default_factory=lambda: {"name": "classification"})
    metric: str = "accuracy"  # of the task
    unit: str = "%"  # of the metric
    outputs: list[int] = field(default_factory=list)  # shape of the scored output for one sample
    output_count: int = 1  # how many tensors it gives
    varying: list[dict[str, Any]] = field(default_factory=list)  # open sizes (varying.VaryingDimension)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Return the shape of what the model gives for one sample: logits, in an earlier manifest."""
        return tuple(self.outputs) or (self.shape.classes,)

    @property
    def input_names(self) -> list[str]:
        """Return the names of the inputs, if there are several."""
        fields = self.shape.fields if isinstance(self.shape, FieldsInput) else {}
        return [*fields] if len(fields) > 1 else []

    @property
    def number_scored(self) -> int:
        """Return how many of the model's outputs are scored."""
        return number_scored(self.model)

    @property
    def scores(self) -> dict[str, float]:
        """Return the figures that are logged as a run's metrics, of the weights that were kept."""
        figures = {f"best_val_{self.metric}": self.val_score, f"test_{self.metric}": self.test_score}
        figures |= {name: getattr(self, name) for name in METRICS}
        return {name: value for name, value in figures.items() if value is not None}


def number_scored(spec: Mapping[str, Any]) -> int:
    """Return how many outputs of a model are scored: `_output_` in its settings may name several."""
    chosen = spec.get("_output_")
    return len(chosen) if isinstance(chosen, list | tuple) else 1


def save_reason(
    folder: Path, before: ModelManifest, recipe: str, reason: str, *, failed: bool = False
) -> None:
    """Write a manifest without a model into `folder`: a compression made none.

    Args:
        folder: the folder that the compressed model would have.
        before: the manifest of the model that was to be compressed.
        recipe: the name of the compression.
        reason: why it made no model.
        failed: whether something broke, so that another try may succeed.
    """
    nothing: dict[str, Any] = {
        "parameters": 0,
        "macs": 0,
        "activations": 0,
        "used_weights": 0,
        "used_macs": 0,
        "train_s": 0.0,
        "megabytes": 0.0,
        "sha256": "",
        "history": [],
    }
    unmade = replace(before, recipe=recipe, reason=redact(reason), failed=failed, **nothing)
    write_json(folder / MANIFEST, asdict(unmade))


def relabel(folder: Path, **changes: Any) -> ModelManifest:
    """Change what does not belong to the model itself in the manifest in `folder`, and return it.

    Args:
        folder: the folder of the model.
        changes: new values of `family`, `recipe` and `varying`, which do not change the model itself.
    """
    card = replace(read_card(folder), **changes)
    write_json(folder / MANIFEST, asdict(card))
    return card


def read_card(folder: Path) -> ModelManifest:
    """Return the manifest in `folder`.

    Raises:
        UserError: the manifest is missing, or another version of Breakeven wrote it.
    """
    values = read_json(folder / MANIFEST)
    try:
        for step in [values, *values.get("details", {}).get("before", [])]:
            for part in ("val", "test"):  # `compare` and `publish` read what earlier versions wrote
                if (earlier := f"{part}_accuracy") in step:
                    step[f"{part}_score"] = step.pop(earlier)
        return ModelManifest(**{**values, "shape": shape_from(values["shape"])})
    except (KeyError, TypeError):
        raise UserError(f"{folder / MANIFEST} is of another version of Breakeven: run `dvc repro`.") from None
