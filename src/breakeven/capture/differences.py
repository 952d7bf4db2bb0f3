"""In what the outputs of a graph differ from the model's."""

from numbers import Number
from typing import Any

import torch
from torch import Tensor

from breakeven.capture.example import leaves_of, tensors_of

# Shares of the largest output: compilers add numbers in another order, mistakes are far larger
TOLERANCE, TINY = 1e-3, 1e-6


def difference(expected: Any, got: Any, is_flat: bool) -> str:
    """Return in words how a graph's outputs differ from the model's; "" if they do not.

    Args:
        is_flat: whether `got` are only the tensors of the outputs, in their order.
    """
    if is_flat:
        return _flat(leaves_of(expected), tensors_of(got))
    want, have = leaves_of(expected), leaves_of(got)
    if len(want) != len(have):
        return f"it returns {len(have)} values, not {len(want)}"
    return next((words for a, b in zip(want, have, strict=True) if (words := _leaf(a, b))), "")


def _flat(want: list[Any], have: list[Tensor]) -> str:
    if len(want) != len(have):  # formats without numbers leave them out
        want = [value for value in want if isinstance(value, Tensor)]
    if len(want) != len(have):
        return f"it returns {len(have)} tensors, not {len(want)}"
    return next((words for a, b in zip(want, have, strict=True) if (words := _leaf(a, b))), "")


def _leaf(want: Any, have: Any) -> str:
    if isinstance(want, Tensor) and isinstance(have, Tensor):
        return _tensor(want, have)
    if isinstance(want, Tensor | Number) and isinstance(have, Tensor | Number):  # a number may be a tensor
        return _numbers(*(torch.as_tensor(value).double() for value in (want, have)))
    if type(want) is not type(have):
        return f"it returns a {type(have).__name__}, not a {type(want).__name__}"
    return "" if want == have else f"it returns {have!r}, not {want!r}"


def _tensor(want: Tensor, have: Tensor) -> str:
    if want.shape != have.shape:
        return f"its output has the shape {list(have.shape)}, not {list(want.shape)}"
    if want.dtype != have.dtype:
        return f"its output is {_name(have)}, not {_name(want)}"
    if want.is_floating_point():
        return _numbers(want.detach().double(), have.detach().double())
    differing = float((want != have).double().mean()) if want.numel() else 0.0
    return f"{differing:.0%} of its numbers differ" if differing else ""


def _numbers(want: Tensor, have: Tensor) -> str:
    if not torch.equal(want.isfinite(), have.isfinite()):
        return "its output is not finite where the model's is, or the other way round"
    finite = want.isfinite()
    largest = float(want[finite].abs().max()) if finite.any() else 0.0
    error = float((want - have)[finite].abs().max()) if finite.any() else 0.0
    if error <= TOLERANCE * largest + TINY:
        return ""
    return f"its output differs by up to {error:.3g}, where the largest is {largest:.3g}"


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
