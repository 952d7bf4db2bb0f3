"""A model on disk: how to construct it, what was pruned from it, its weights, and how it came about."""

import inspect
import math
import pkgutil
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from breakeven import paths
from breakeven.errors import Unsupported, UserError
from breakeven.files import read_json, require_sha256, sha256, write_json

WEIGHTS, CARD = "model.safetensors", paths.MODEL_CARD
# The figures of a card that are logged as a run's metrics
SCORES = ("val_accuracy", "test_accuracy", "parameters", "macs", "activations", "train_s")


@dataclass(frozen=True)
class Shape:
    """What a model has to know of its dataset."""

    channels: int
    height: int  # pixels
    width: int  # pixels
    classes: int

    def example(self, count: int = 1) -> Tensor:
        """A batch of zeros."""
        return torch.zeros(count, self.channels, self.height, self.width)


@dataclass(frozen=True)
class Tokens:
    """The same of a dataset of texts."""

    length: int  # tokens in a text
    vocabulary: int
    classes: int

    def example(self, count: int = 1) -> Tensor:
        """A batch of the first token."""
        return torch.zeros(count, self.length, dtype=torch.int64)


def shape_from(facts: Mapping[str, int]) -> "Shape | Tokens":
    """The kind of shape that has these facts."""
    return Tokens(**facts) if "vocabulary" in facts else Shape(**facts)


class Size(NamedTuple):
    """The figures of a `Card` that say how large a model is."""

    parameters: int
    macs: int
    activations: int


@dataclass(frozen=True)
class Card:
    """All that is needed to rebuild a model, and the record of how it was made."""

    family: str
    recipe: str  # "none" for a model that is not compressed
    title: str  # of the dataset
    model: dict[str, Any]  # `_target_` and arguments
    shape: Shape | Tokens
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
    reason: str = ""  # why a compression gave none; then the figures are 0

    @property
    def scores(self) -> dict[str, float]:
        """The figures that are logged as a run's metrics."""
        return {name: value for name in SCORES if (value := getattr(self, name)) is not None}


def constructor(spec: Mapping[str, Any], place: str = "model") -> Callable[..., Any]:
    """What `spec` names as its `_target_`.

    Raises:
        UserError: it cannot be imported.
    """
    target = str(spec.get("_target_"))
    try:
        return cast(Callable[..., Any], pkgutil.resolve_name(target))
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"{place}._target_={target}: cannot be imported ({error}).") from None


def ready(card: Card) -> None:
    """Import all that it takes to load the model with this card."""
    constructor(card.model)
    if card.pruning:
        import torch_pruning  # noqa: F401


def build(spec: Mapping[str, Any], shape: Shape | Tokens, place: str = "model") -> nn.Module:
    """Construct the model that `spec` describes for inputs of `shape`.

    `_inputs_` in `spec` says which argument takes which fact of the dataset; by default `in_channels` the
    channels and `num_classes` the classes.

    Raises:
        UserError: the constructor does not exist, or does not take these arguments.
    """
    arguments = {k: v for k, v in spec.items() if k not in ("_target_", "_inputs_")}
    construct = constructor(spec, place)
    inputs = spec.get("_inputs_", {"in_channels": "channels", "num_classes": "classes"})
    facts = asdict(shape)
    if odd := [fact for fact in inputs.values() if fact not in facts]:
        raise UserError(f"{place}._inputs_: {odd[0]!r} is not one of {', '.join(facts)}.")
    try:
        model = construct(**arguments, **{name: facts[fact] for name, fact in inputs.items()})
    except (TypeError, ValueError, RuntimeError) as error:  # pydantic's ValidationError is a ValueError
        raise UserError(f"{place}: {_fault(error)} Its arguments: {_signature(construct)}.") from None
    if not isinstance(model, nn.Module):
        raise UserError(
            f"{place}._target_={spec['_target_']}: gives a {type(model).__name__}, not a torch.nn.Module."
        )
    return model


def save(folder: Path, model: nn.Module, card: Card) -> Card:
    """Write weights and card into `folder`; returns the card with the weights' sha256."""
    # Channels-last tensors are not contiguous, which safetensors requires.
    save_file({k: v.detach().contiguous().clone() for k, v in model.state_dict().items()}, folder / WEIGHTS)
    card = replace(card, sha256=sha256(folder / WEIGHTS))
    write_json(folder / CARD, asdict(card))
    return card


def save_reason(folder: Path, before: Card, recipe: str, reason: str) -> None:
    """Write into `folder` why there is no model that `recipe` makes of the one whose card is `before`."""
    nothing: dict[str, Any] = {
        "parameters": 0,
        "macs": 0,
        "activations": 0,
        "train_s": 0.0,
        "sha256": "",
        "history": [],
    }
    write_json(folder / CARD, asdict(replace(before, recipe=recipe, reason=reason, **nothing)))


def relabel(folder: Path, **changes: Any) -> Card:
    """Change what only names the model in `folder` (family, recipe); returns the card."""
    card = replace(read_card(folder), **changes)
    write_json(folder / CARD, asdict(card))
    return card


def read_card(folder: Path) -> Card:
    """The card in `folder`."""
    values = read_json(folder / CARD)
    try:
        return Card(**{**values, "shape": shape_from(values["shape"])})
    except (KeyError, TypeError):
        raise UserError(f"{folder / CARD} is of another version of Breakeven: run `dvc repro`.") from None


def load(folder: Path) -> tuple[nn.Module, Card]:
    """The model in `folder`, in evaluation mode, after the sha256 of its weights was checked.

    Raises:
        Unsupported: there is none, with the reason.
        UserError: the weights are missing, were changed, or do not fit the card.
    """
    card = read_card(folder)
    if card.reason:
        raise Unsupported(card.reason)
    require_sha256(folder / WEIGHTS, card.sha256)
    model = build(card.model, card.shape)
    if card.pruning:
        from torch_pruning import DependencyGraph

        graph = DependencyGraph().build_dependency(model, example_inputs=card.shape.example())
        graph.load_pruning_history(card.pruning)
    load_tensors(model, load_file(folder / WEIGHTS))
    return model.eval(), card


def load_tensors(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Load weights by name; what has no versions of its modules (torch's `_metadata`) is of the model's own.

    Some modules refuse weights without: torchvision's MNASNet.
    """
    state: Any = OrderedDict(tensors)
    own: Any = model.state_dict()
    state._metadata = getattr(tensors, "_metadata", own._metadata)
    model.load_state_dict(state)


def load_checkpoint(path: Path, model: nn.Module) -> None:
    """Load a user's own weights (safetensors, or a state dict by torch.save) into `model`.

    Raises:
        UserError: the file is missing or unreadable, or does not fit the model.
    """
    try:
        state = (
            load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
        )
    except FileNotFoundError:
        raise UserError(f"checkpoint={path}: there is no such file.") from None
    except (SafetensorError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise UserError(f"checkpoint={path}: cannot be read ({str(error).splitlines()[0]}).") from None
    except Exception as error:  # pickle.UnpicklingError and what else a foreign pickle can raise
        raise UserError(
            f"checkpoint={path}: holds more than tensors ({type(error).__name__}), and is not run. "
            f"Save it again as `torch.save(model.state_dict(), PATH)` or as safetensors."
        ) from None
    for wrapper in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not isinstance(state, dict):
        raise UserError(f"checkpoint={path}: holds a {type(state).__name__}, not a state dict.")
    state = {name.removeprefix("module."): value for name, value in state.items()}  # nn.DataParallel's prefix
    try:
        load_tensors(model, state)
    except RuntimeError as error:
        lines = str(error).splitlines()
        raise UserError(
            f"checkpoint={path}: does not fit the model: {' '.join(lines[1:3]).strip()}"
        ) from None


def size(model: nn.Module, shape: Shape | Tokens) -> Size:
    """How large a model is."""
    moved = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal moved
        moved += inputs[0].numel() + output.numel()

    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    training = model.training
    operations = flops(model.eval(), shape.example())
    model.train(training)
    for hook in hooks:
        hook.remove()
    parameters = sum(p.numel() for p in model.parameters())
    return Size(parameters, math.ceil(operations / 2), moved)


def flops(model: nn.Module, example: Tensor) -> int:
    """Floating-point operations for `example`: two for each multiply-accumulate."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(example)
    return int(counter.get_total_flops())


def _fault(error: Exception) -> str:
    if hasattr(error, "errors"):
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc']))}={fault['input']}: {fault['msg'].lower()}."
    return f"{str(error).splitlines()[0].rstrip('.')}."


def _signature(constructor: Any) -> str:
    try:
        return ", ".join(map(str, inspect.signature(constructor).parameters))
    except (TypeError, ValueError):
        return "unknown"
