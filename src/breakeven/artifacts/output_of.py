"""A model that gives several outputs, as one whose outputs are tensors in a known order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor, nn

Key = str | int


class OutputOf(nn.Module):
    """Calls a model, and returns the outputs that are scored, and after them all its other tensors.

    The model may give a mapping, a tuple, a dataclass or another object with attributes, nested as it likes.
    """

    def __init__(self, model: nn.Module, scored: Key | Sequence[Key]) -> None:
        """Wrap a model.

        Args:
            scored: the name or number of the output that is scored, or of several.
        """
        super().__init__()
        self.model = model
        self.scored = [str(key) for key in ([scored] if isinstance(scored, str | int) else scored)]

    def forward(self, *inputs: Any) -> Any:
        """Return a tensor, or a tuple of tensors.

        Raises:
            KeyError: there is no output of that name or number; the message lists those that there are.
        """
        found = dict(named_tensors(self.model(*inputs)))
        if missing := [key for key in self.scored if key not in found]:
            raise KeyError(f"_output_: {missing[0]!r} is none of {', '.join(found)}")
        tensors = (
            *(found[key] for key in self.scored),
            *(tensor for key, tensor in found.items() if key not in self.scored),
        )
        return tensors if len(tensors) > 1 else tensors[0]


def named_tensors(value: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in what a model gives, each with its keys joined by dots."""
    if isinstance(value, Tensor):
        yield name or "0", value
        return
    for key, item in _items(value):
        yield from named_tensors(item, f"{name}.{key}" if name else str(key))


def _items(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return [*value.items()]
    if hasattr(value, "_asdict"):  # a named tuple
        return [*value._asdict().items()]
    if isinstance(value, tuple | list):
        return [*enumerate(value)]
    if is_dataclass(value):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    return [*vars(value).items()] if hasattr(value, "__dict__") else []


def scored_number(model: nn.Module) -> int:
    """Return how many of the model's outputs are scored."""
    return len(model.scored) if isinstance(model, OutputOf) else 1


def whole(model: nn.Module) -> nn.Module:
    """Return the user's own model, whose names its checkpoints have."""
    return model.model if isinstance(model, OutputOf) else model
