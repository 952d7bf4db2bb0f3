"""Functions of the user's own, which settings name as MODULE:FUNCTION."""

import pkgutil
from collections.abc import Callable
from typing import Any

from breakeven.core.errors import UserError


def named_function(name: str, key: str) -> Callable[..., Any]:
    """Return the function that `MODULE:FUNCTION` names.

    Args:
        key: the dotted key of the setting, for messages.

    Raises:
        UserError: there is none.
    """
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"{key}={name}: cannot be imported ({error}): write MODULE:FUNCTION.") from None
    if not callable(found):
        raise UserError(f"{key}={name}: is of type {type(found).__name__}, not a function.")
    function: Callable[..., Any] = found
    return function
