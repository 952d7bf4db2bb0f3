"""Example inputs of a model: how they are called, copied, and compared."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree


@dataclass(frozen=True)
class Example:
    """The arguments of one call of a model."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Any) -> "Example":
        """Return what a function `example()` returns as an example: one tensor, a tuple, or a mapping."""
        if isinstance(given, Example):
            return given
        if isinstance(given, Mapping):
            return cls((), dict(given))
        return cls(tuple(given) if isinstance(given, (tuple, list)) else (given,))

    def call(self, model: Callable[..., Any]) -> Any:
        """Call a model with these arguments, without gradients."""
        with torch.no_grad():
            return model(*self.args, **self.kwargs)

    def copy(self) -> "Example":
        """Return the same arguments, with tensors of their own."""
        return self.map(lambda tensor: tensor.detach().clone())

    def map(self, change: Callable[[Tensor], Tensor]) -> "Example":
        """Return the arguments with each tensor changed; what is no tensor stays."""
        args, kwargs = pytree.tree_map_only(Tensor, change, (self.args, dict(self.kwargs)))
        return replace(self, args=tuple(args), kwargs=kwargs)

    def by_name(self, model: nn.Module) -> dict[str, Any]:
        """Return all arguments by the names that the model's `forward` gives them."""
        return dict(inspect.signature(model.forward).bind(*self.args, **self.kwargs).arguments)

    @property
    def tensors(self) -> list[Tensor]:
        """Return the tensors among the arguments, in their order."""
        return tensors_of((self.args, dict(self.kwargs)))

    def batch_size(self) -> int | None:
        """Return the first dimension of the first tensor; None if there is none."""
        first = next((tensor for tensor in self.tensors if tensor.ndim), None)
        return None if first is None else len(first)

    def with_batch(self, size: int) -> "Example":
        """Return the arguments with another number of samples: each sample repeats in turn."""

        def resized(tensor: Tensor) -> Tensor:
            return tensor[torch.arange(size) % len(tensor)] if self._holds_samples(tensor) else tensor

        return self.map(resized)

    def _holds_samples(self, value: Any) -> bool:
        """Return whether a value is a tensor whose first dimension counts the samples."""
        return isinstance(value, Tensor) and value.ndim > 0 and len(value) == self.batch_size()

    def shapes(self, mark: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return for each argument which dimensions vary, as torch.export wants it: the first of each batch.

        Args:
            mark: torch's mark of a dimension that varies.
        """

        def shape(leaf: Any) -> Any:
            if self._holds_samples(leaf):
                return {0: mark}
            return {} if isinstance(leaf, Tensor) else None

        args, kwargs = pytree.tree_map(shape, (self.args, dict(self.kwargs)))
        return tuple(args), kwargs


def tensors_of(value: Any) -> list[Tensor]:
    """Return the tensors in nested tuples, lists, mappings and dataclasses."""
    return [leaf for leaf in leaves_of(value) if isinstance(leaf, Tensor)]


def changed(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Return nested tuples, lists, mappings and dataclasses with each tensor changed."""

    def leaf(each: Any) -> Any:
        if isinstance(each, Tensor):
            return change(each)
        if is_dataclass(each) and not isinstance(each, type):
            return replace(each, **{name: changed(own, change) for name, own in vars(each).items()})
        return each

    return pytree.tree_map(leaf, value)


def leaves_of(value: Any) -> list[Any]:
    """Return what nested tuples, lists, mappings and dataclasses hold, in their order."""
    return [
        each
        for leaf in pytree.tree_leaves(value)
        for each in (leaves_of(vars(leaf)) if is_dataclass(leaf) and not isinstance(leaf, type) else [leaf])
    ]


def buffers_of(model: Any) -> dict[str, Tensor]:
    """Return copies of a model's buffers; empty if it is no module."""
    if not isinstance(model, (nn.Module, torch.jit.ScriptModule)):
        return {}
    return {name: buffer.detach().cpu().clone() for name, buffer in model.named_buffers()}
