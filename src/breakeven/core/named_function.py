"""Functions of the user's own, which settings name as MODULE:FUNCTION."""

import pkgutil
from collections.abc import Callable
from typing import Any

from breakeven.core.errors import UserError
from breakeven.core.import_errors import import_fault

FUNCTION = r"^[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*(\.\w+)*$"  # MODULE:FUNCTION


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
        raise UserError(f"{key}={name}: cannot be imported ({error}): write MODULE:NAME.") from None
    except (Exception, SystemExit) as error:  # of the module's own code
        raise UserError(f"{key}={name}: {import_fault(error)}.") from None
    if not callable(found):
        raise UserError(f"{key}={name}: is of type {type(found).__name__}, which cannot be called.")
    function: Callable[..., Any] = found
    return function
