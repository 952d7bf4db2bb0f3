"""Functions of the user's own, which settings name as MODULE:FUNCTION."""

import difflib
import pkgutil
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from breakeven.core.errors import UserError
from breakeven.core.import_errors import import_fault

FUNCTION = r"^[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*(\.\w+)*$"  # MODULE:FUNCTION


def function_name(value: str | None) -> str | None:
    """Return a setting that names a function, for a validator of pydantic.

    Raises:
        ValueError: it is not MODULE:FUNCTION.
    """
    if value is not None and not re.fullmatch(FUNCTION, value):
        raise ValueError("it should be MODULE:FUNCTION, as my_code:samples")
    return value


def _hint(name: str, error: Exception) -> str:
    """Return what to do about a name that cannot be imported."""
    module = re.split(r"[:.]", name)[0]
    if isinstance(error, AttributeError) and module in sys.modules:
        near = difflib.get_close_matches(re.split(r"[:.]", name)[-1], dir(sys.modules[module]), 1)
        return f"Did you mean {near[0]!r}?" if near else "Write MODULE:NAME."
    if isinstance(error, ModuleNotFoundError) and error.name == module:
        return f"Put {module}.py into {Path.cwd()}, or install it, and write MODULE:NAME."
    return "Write MODULE:NAME."


def named_function(name: str, key: str) -> Callable[..., Any]:
    """Return the function or class that `MODULE:FUNCTION` names.

    Args:
        key: the dotted key of the setting, for messages.

    Raises:
        UserError: there is none.
    """
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"{key}={name}: cannot be imported ({error}). {_hint(name, error)}") from None
    except (Exception, SystemExit) as error:  # of the module's own code
        raise UserError(f"{key}={name}: {import_fault(error)}.") from None
    if not callable(found):
        raise UserError(f"{key}={name}: is of type {type(found).__name__}, which cannot be called.")
    function: Callable[..., Any] = found
    return function
