"""The restoration of a commit's stage outputs in a temporary folder."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from breakeven.core.errors import UserError

WORKSPACE = "workspace"  # stands for the current files in place of a commit


@contextmanager
def restored(revision: str, *stages: str) -> Iterator[Path]:
    """Yield a folder with the outputs of `stages` at a commit. The folder is deleted after the block.

    Raises:
        UserError: git does not know the commit, or DVC's cache lacks its outputs.
    """
    if revision == WORKSPACE:
        yield Path.cwd()
        return
    _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", failed=f"{revision} is no commit here")
    with TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        _git("worktree", "add", "--quiet", "--detach", str(tree), revision, failed="git worktree")
        try:
            if not (tree / "dvc.lock").exists():
                raise UserError(f"{revision} has no results: it has no dvc.lock.")
            cache = _dvc(Path.cwd(), "cache", "dir").stdout.strip()
            local = tree / ".dvc/config.local"
            local.write_text(f"[cache]\n    dir = {cache}\n", encoding="utf-8")
            done = _dvc(tree, "checkout", *stages)
            if done.returncode:
                raise UserError(
                    f"DVC's cache lacks outputs of {revision} ({_reason(done.stderr)}): `dvc pull` brings "
                    f"them from a remote, `git checkout {revision} && dvc repro` makes them again."
                )
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree), failed="git worktree")


def _reason(stderr: str) -> str:
    """Return what DVC says about outputs that it cannot check out: the first of them, and how many."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    start = next((at for at, line in enumerate(lines) if line.startswith("ERROR: ")), None)
    if start is None:
        return lines[-1] if lines else "it says nothing"
    missing = [line for line in lines[start + 1 :] if " " not in line and not line.startswith("<")]
    if not missing:
        return lines[start].removeprefix("ERROR: ")
    return missing[0] + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")


def _dvc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _git(*arguments: str, failed: str) -> None:
    if not shutil.which("git"):
        raise UserError("git is not installed.")
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise UserError(f"{failed}{': ' + reason[-1] if reason else ''}.")
