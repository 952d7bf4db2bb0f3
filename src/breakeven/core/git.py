"""The commit and the machine that an output is made with."""

import os
import shutil
import subprocess
from functools import cache
from typing import Any

from breakeven.core import paths
from breakeven.core.system_info import collect


@cache
def commit() -> tuple[str, bool]:
    """Return the commit of the working tree, and whether tracked files other than results differ from it.

    Return ("", False) if git is not installed or the folder is no repository.
    """
    if not shutil.which("git"):
        return "", False
    tree = os.environ.get(paths.HOME_VARIABLE, ".")

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=tree, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    # A running DVC writes dvc.lock and results, so changes in them do not count.
    changes = git("status", "--porcelain", "--untracked-files=no", ".", ":!dvc.lock", f":!{paths.RESULTS}")
    return git("rev-parse", "HEAD"), bool(changes)


def here() -> dict[str, Any]:
    """Return this machine and the commit of the working tree, under the names of MLflow's tags."""
    name, dirty = commit()
    return {"machine": collect()["name"], "mlflow.source.git.commit": name, "dirty": dirty}
