"""The source behind an option: its plugin, and the functions of the user's that its settings name."""

import re
from collections.abc import Mapping
from typing import Any

from breakeven.core.named_function import FUNCTION
from breakeven.core.source_digest import plugin_modules


def option_modules(group: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the plugin of an option, and the functions that its settings name as MODULE:FUNCTION.

    Args:
        group: the package below `breakeven.plugins`.
        settings: the option's section of the configuration.
    """
    words = [value for value in settings.values() if isinstance(value, str)]
    functions = [word.replace(":", ".") for word in words if re.fullmatch(FUNCTION, word)]
    return [*plugin_modules(group, settings), *functions]
