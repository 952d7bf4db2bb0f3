"""A model that gives several outputs, as one that gives the output that is scored."""

from collections.abc import Mapping
from typing import Any

from torch import nn


class OutputOf(nn.Module):
    """Calls a model, and returns one of its outputs: of a mapping, a tuple, or an object with attributes."""

    def __init__(self, model: nn.Module, key: str | int) -> None:
        super().__init__()
        self.model, self.key = model, key

    def forward(self, inputs: Any) -> Any:
        """Return the chosen output.

        Raises:
            KeyError: there is none of that name or number; the message lists those that there are.
        """
        outputs = self.model(inputs)
        if isinstance(outputs, Mapping):
            if self.key in outputs:
                return outputs[self.key]
            raise KeyError(f"_output_: {self.key!r} is none of {', '.join(map(str, outputs))}")
        if isinstance(outputs, tuple | list) and isinstance(self.key, int) and self.key < len(outputs):
            return outputs[self.key]
        if isinstance(self.key, str) and hasattr(outputs, self.key):
            return getattr(outputs, self.key)
        raise KeyError(f"_output_: the model gives a {type(outputs).__name__}, which has no {self.key!r}")


def whole(model: nn.Module) -> nn.Module:
    """Return the user's own model, whose names its checkpoints have."""
    return model.model if isinstance(model, OutputOf) else model
