"""Which commit and which machine make something."""

import os
import shutil
import subprocess
from functools import cache
from typing import Any

from breakeven.core import paths
from breakeven.core.system_info import collect


@cache
def commit() -> tuple[str, bool]:
    """Return the commit of the working tree, and whether more than results was changed since.

    Outside of git, return ("", False).
    """
    if not shutil.which("git"):
        return "", False
    tree = os.environ.get(paths.HOME, ".")

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=tree, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    # While DVC runs, it is writing dvc.lock and results.
    changes = git("status", "--porcelain", "--untracked-files=no", ".", ":!dvc.lock", f":!{paths.RESULTS}")
    return git("rev-parse", "HEAD"), bool(changes)


def here() -> dict[str, Any]:
    """Return this machine and the working tree's commit, under the names of MLflow's tags."""
    name, dirty = commit()
    return {"machine": collect()["name"], "mlflow.source.git.commit": name, "dirty": dirty}
