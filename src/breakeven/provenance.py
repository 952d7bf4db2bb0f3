"""Where things come from: the machine and the commit that made them, and the source of a model."""

import importlib.util
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from breakeven import paths
from breakeven.files import sha256
from breakeven.machine import describe


def here() -> dict[str, Any]:
    """This machine and the working tree's commit, under the names of MLflow's tags."""
    commit, dirty = paths.commit()
    return {"machine": describe()["name"], "mlflow.source.git.commit": commit, "dirty": dirty}


def source(target: str) -> dict[str, str]:
    """What stands for the source of the constructor `target`, found without the cost of importing it.

    So that an edit of a model trains it again, and an edit of another one does not. Of a module of this
    package it is the sha256, of an installed package the version, of a user's own the sha256 of each of its
    files; nothing for what does not exist, which a later stage says in a sentence.
    """
    target = target.replace(":", ".")
    top = target.partition(".")[0]
    spec = importlib.util.find_spec(top) if top else None
    if spec is None:
        return {}
    if top == "breakeven":
        parts = target.split(".")[1:]
        root = Path(__file__).parent
        modules = [root.joinpath(*parts[:count]).with_suffix(".py") for count in range(1, len(parts) + 1)]
        return {path.name: sha256(path) for path in modules if path.is_file()}
    origin = Path(spec.origin or ".")
    if any(origin.is_relative_to(folder) for folder in sys.path if folder.endswith("-packages")):
        return {top: _version(top) or sha256(origin)}
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    files = sorted(file for folder in folders for file in folder.rglob("*.py")) or [origin]
    return {file.name if not folders else str(file.relative_to(folders[0])): sha256(file) for file in files}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
