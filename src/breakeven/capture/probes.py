"""Inputs to try a captured model with, made from the model's own example."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from breakeven.capture.example import Example

SCALE = 3.0
CAPTURED = "the captured input"
SECOND_CALL = "a second call"
ANOTHER_BATCH = "another batch size"


@dataclass(frozen=True)
class Probe:
    """An input to call the model and its graph with."""

    name: str
    example: Example


def probes(example: Example, any_batch: bool) -> list[Probe]:
    """Return the inputs to try, in the order of the calls: the captured one comes first and second.

    Args:
        any_batch: whether the model takes other numbers of samples.
    """
    found = [Probe(CAPTURED, example), Probe(SECOND_CALL, example)]
    found += [
        Probe(name, changed)
        for name, change in CHANGES.items()
        if not _equal(changed := example.map(change), example)
    ]
    if any_batch and (size := example.batch_size()):
        found.append(Probe(ANOTHER_BATCH, example.with_batch(size + 2)))
    return found


def _scaled(tensor: Tensor) -> Tensor:
    return tensor * SCALE if tensor.is_floating_point() else tensor


def _negated(tensor: Tensor) -> Tensor:
    if tensor.dtype == torch.bool:
        return ~tensor
    return -tensor if tensor.is_floating_point() else tensor.flip(0) if tensor.ndim else tensor


def _zeros(tensor: Tensor) -> Tensor:
    return torch.zeros_like(tensor)


def _sorted(tensor: Tensor) -> Tensor:
    return tensor.flatten().sort().values.reshape(tensor.shape)


CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "the input times 3": _scaled,
    "the negated input": _negated,
    "zeros": _zeros,
    "the sorted input": _sorted,
}


def _equal(one: Example, other: Example) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.tensors, other.tensors, strict=True))
