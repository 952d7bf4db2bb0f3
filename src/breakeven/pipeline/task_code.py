"""The source that decides a task's scores and loss."""

from collections.abc import Mapping
from typing import Any

from breakeven.core.source_digest import plugin_modules

FUNCTIONS = ("score", "train_loss")  # settings that name a function of the user's as MODULE:FUNCTION


def task_modules(settings: Mapping[str, Any]) -> list[str]:
    """Return the task's plugin, and the functions of the user's that its settings name as MODULE:FUNCTION."""
    functions = [str(settings[key]).replace(":", ".") for key in FUNCTIONS if settings.get(key)]
    return [*plugin_modules("tasks", settings), *functions]
