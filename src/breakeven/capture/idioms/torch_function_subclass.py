"""A tensor class that changes what functions of torch do: a capture of operators has to call it."""

from typing import Any

import torch
from torch import Tensor, nn

ADVICE = "call the changed function by its own name"


class Bounded(Tensor):
    """A tensor whose exponential is bounded."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Return what a function of torch gives; at most 100 for the exponential."""
        result = super().__torch_function__(func, types, args, kwargs or {})  # type: ignore[no-untyped-call]
        return result.clamp(max=100.0) if func is torch.exp else result


class Model(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(x.as_subclass(Bounded)).as_subclass(Tensor)


class Rewrite(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(x).clamp(max=100.0)


def example() -> Tensor:
    """Return two rows, the largest with an exponential above the bound."""
    return torch.arange(6.0).reshape(2, 3)
