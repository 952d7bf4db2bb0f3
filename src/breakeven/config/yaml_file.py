"""The reading of `params.yaml` and `dvc.lock`, which git merges and users edit."""

from pathlib import Path
from typing import Any

import yaml

from breakeven.core.errors import UserError

MERGE_MARKS = ("<<<<<<< ", "||||||| ", ">>>>>>> ")  # what git leaves of a conflict


def read_mapping(path: Path, remedy: str) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Args:
        path: the file.
        remedy: what to do if it is damaged, after a colon: "run `breakeven compose`".

    Raises:
        UserError: the file is missing, empty, no mapping, not UTF-8 or no YAML, or git left a conflict in it.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: {remedy}.") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder: remove it, and {remedy}.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 (byte {error.start}): {remedy}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: of a date such as 2026-99-99
        if line := _conflict(text):
            raise UserError(f"{path}:{line}: git left a conflict here: {remedy}.") from None
        raise UserError(f"{path}{_place(error)}: this is no YAML: {remedy}.") from None
    if line := _conflict(text):
        raise UserError(f"{path}:{line}: git left a conflict here: {remedy}.")
    if content is None:
        raise UserError(f"{path} is empty: {remedy}.")
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no mapping but a {type(content).__name__}: {remedy}.")
    return content


def _conflict(text: str) -> int | None:
    """Return the number of the first line that git wrote into the file of a conflict."""
    return next((at for at, line in enumerate(text.split("\n"), 1) if line.startswith(MERGE_MARKS)), None)


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""
