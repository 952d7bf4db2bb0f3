"""The tags of runs that only this package reads. MLflow's UI hides names that begin with `mlflow.`."""

from collections.abc import Mapping

PREFIX = "mlflow.breakeven."
OLD_PREFIX = "breakeven."  # of stores that an earlier version wrote; its tags are visible
KEY, HOST, PROCESS, SYNCED = "key", "host", "process", "synced"


def name(tag: str) -> str:
    """Return the full name of a hidden tag."""
    return f"{PREFIX}{tag}"


def read(tags: Mapping[str, str], tag: str) -> str:
    """Return the value of a hidden tag, also if an earlier version wrote it; empty if there is none."""
    return tags.get(f"{PREFIX}{tag}") or tags.get(f"{OLD_PREFIX}{tag}", "")


def conditions(tag: str, value: str) -> list[str]:
    """Return the conditions, in MLflow's language, of which one holds for each run with this tag.

    MLflow's language has no "or", so callers search once for each.
    """
    return [f"tags.`{prefix}{tag}` = '{value}'" for prefix in (PREFIX, OLD_PREFIX)]
