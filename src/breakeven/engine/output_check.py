"""The comparison of two variants' outputs: close, equal, or by a user's own function."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from breakeven.core.errors import UserError

CLOSE, EQUAL, OFF = "close", "equal", "off"
CHECKS = (CLOSE, EQUAL, OFF)
# "close" accepts an error of 0.1% of the number itself plus 0.01% of the largest number in its array.
RELATIVE_TOLERANCE, TOLERANCE_OF_LARGEST = 1e-3, 1e-4
Check = str | Callable[[Any, Any], bool]


def plain(value: Any) -> Any:  # noqa: PLR0911  (one return for each kind)
    """Return an output as nested builtins and numpy arrays, which any process can read.

    Raises:
        UserError: the output holds an object that cannot be compared.
    """
    if value is None or isinstance(value, str | bytes | bool | int | float | complex | np.ndarray):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return {"set": sorted(map(repr, value))}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if hasattr(value, "detach"):  # a torch tensor
        tensor = value.detach().cpu()
        return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    if hasattr(value, "__array__"):
        return np.asarray(value)
    raise UserError(
        f"its output holds a {type(value).__name__}, which {CLOSE!r} and {EQUAL!r} cannot compare: set check "
        f"to {OFF!r} or to a function of two outputs"
    )


def difference(base: Any, output: Any, check: Check, where: str = "output") -> str:
    """Return how an output differs from the baseline's, or "" if they agree.

    Args:
        base: the baseline's output, as `plain` returns it; any object if `check` is a function.
        output: the output to compare, likewise.
        check: "close", "equal", or a function of both outputs that returns whether they agree.
        where: the name of this part of the output, for the message.
    """
    if callable(check):
        return "" if check(base, output) else "the check function refuses its output"
    if isinstance(base, dict) and isinstance(output, dict):
        if base.keys() != output.keys():
            return f"{where} has the keys {_brief([*output])}, not {_brief([*base])}"
        pairs = [(base[key], output[key], f"{where}[{key!r}]") for key in base]
    elif isinstance(base, list) and isinstance(output, list):
        if len(base) != len(output):
            return f"{where} has {len(output)} items, not {len(base)}"
        numbers = _numbers(base), _numbers(output)
        if numbers[0] is not None and numbers[1] is not None:
            return _array_difference(numbers[0], numbers[1], check, where)
        pairs = [
            (one, two, f"{where}[{index}]") for index, (one, two) in enumerate(zip(base, output, strict=True))
        ]
    else:
        return _leaf_difference(base, output, check, where)
    return next((fault for one, two, part in pairs if (fault := difference(one, two, check, part))), "")


def _leaf_difference(base: Any, output: Any, check: Check, where: str) -> str:
    number = bool | int | float | complex | np.ndarray
    if isinstance(base, number) and isinstance(output, number):
        return _array_difference(np.asarray(base), np.asarray(output), check, where)
    if type(base) is type(output) and base == output:
        return ""
    return f"{where} is {_brief(output)}, not {_brief(base)}"


def _array_difference(base: Any, output: Any, check: Check, where: str) -> str:
    if base.shape != output.shape:
        return f"{where} has the shape {output.shape}, not {base.shape}"
    numeric = base.dtype.kind in "biufc" and output.dtype.kind in "biufc"
    if check == EQUAL or not numeric:
        same = np.array_equal(base, output, equal_nan=numeric)
        return "" if same else f"{where} is not equal to the baseline's"
    base, output = (
        each.astype(np.complex128 if each.dtype.kind == "c" else np.float64) for each in (base, output)
    )
    finite = np.abs(base[np.isfinite(base)])
    largest = float(finite.max()) if finite.size else 0.0
    if np.allclose(
        output, base, rtol=RELATIVE_TOLERANCE, atol=TOLERANCE_OF_LARGEST * largest, equal_nan=True
    ):
        return ""
    with np.errstate(invalid="ignore"):
        error = np.abs(output - base)
    worst = float(np.nanmax(error)) if np.isfinite(error).any() else float("nan")
    return f"{where} is off by up to {worst:.3g}, where the baseline's largest number is {largest:.3g}"


def _numbers(values: list[Any]) -> Any:
    """Return a list of plain numbers as an array, to compare it as a whole; None for any other list."""
    if values and all(isinstance(value, bool | int | float | complex) for value in values):
        array = np.asarray(values)
        return array if array.dtype.kind in "biufc" else None
    return None


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
