"""The forms of a variant that users pass: a callable, "file.py:f", "package.module:f", an artifact folder."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from breakeven.core.errors import UserError
from breakeven.engine.target import CallTarget, Variant

Given = Callable[..., Any] | str | Path | CallTarget
ARTIFACT_FILE = "artifact.json"


def parse(text: str, *, direct: bool = False, paths: Sequence[str] = (), within: str = "") -> Variant:
    """Return the variant for `file.py:f`, for `package.module:f`, or for the path of an artifact's folder.

    Args:
        direct: time the named function itself, instead of the callable that it returns.
        paths: folders to search first. A file's relative path starts at the first of them.
        within: refuse a module that Python loads from outside this folder.

    Raises:
        UserError: the text has none of these forms.
    """
    if (Path(text) / ARTIFACT_FILE).is_file():
        return Path(text).resolve()
    source, colon, name = text.rpartition(":")
    if not (source and colon and all(part.isidentifier() for part in name.split("."))):
        raise UserError(
            f"{text}: name a target as file.py:function, as package.module:function, or by an artifact's "
            f"folder (one that holds {ARTIFACT_FILE})."
        )
    if source.endswith(".py"):
        path = (Path(paths[0]) if paths else Path()) / source
        return CallTarget("file", str(path.resolve()), name, direct, tuple(paths), within)
    if not all(part.isidentifier() for part in source.split(".")):
        raise UserError(f"{text}: {source!r} is neither a Python file nor the name of a module.")
    return CallTarget("import", source, name, direct, tuple(paths), within)


def save_callable(value: Callable[..., Any], path: Path) -> CallTarget:
    """Pickle a factory or an nn.Module to `path`, and return the target that workers load it from.

    Raises:
        UserError: the callable holds an object that cannot be pickled.
    """
    import cloudpickle

    try:
        path.write_bytes(cloudpickle.dumps(value))
    except Exception as error:
        raise UserError(
            f"{getattr(value, '__qualname__', type(value).__name__)} cannot be sent to another process "
            f"({error}): create what it holds inside of the factory."
        ) from None
    return CallTarget("pickle", str(path), paths=tuple(entry for entry in sys.path if entry))


def resolve(name: str, value: Given, pickle: Path) -> Variant:
    """Return the variant for the value that a user has passed under `name`.

    Args:
        pickle: the file to write, if the value is a callable.

    Raises:
        UserError: the value cannot be measured.
    """
    if isinstance(value, CallTarget):
        return value
    if isinstance(value, Path):
        if not (value / ARTIFACT_FILE).is_file():
            raise UserError(f"{name}: {value} is not the folder of an artifact: it holds no {ARTIFACT_FILE}.")
        return value.resolve()
    if isinstance(value, str):
        return parse(value)
    if callable(value):
        return save_callable(value, pickle)
    raise UserError(f"{name}: a variant is a callable, a text as 'file.py:f', or a folder, not {value!r}.")
