"""The search for a target in another commit, in a temporary git worktree."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from breakeven.core.errors import UserError

INSTALL_FOLDERS = ("site-packages", "dist-packages")


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Check out a commit into a temporary folder, and yield the counterpart of the current folder in it.

    Raises:
        UserError: the current folder is in no git repository, or the repository has no such commit.
    """
    root = Path(
        _git("rev-parse", "--show-toplevel", problem=f"--at {commit}: this folder is in no git repository")
    )
    _git(
        "rev-parse",
        "--verify",
        "--quiet",
        f"{commit}^{{commit}}",
        problem=f"--at {commit}: there is no such commit",
    )
    with TemporaryDirectory(prefix="breakeven-at-") as folder:
        tree = Path(folder).resolve() / "tree"
        _git(
            "worktree",
            "add",
            "--detach",
            str(tree),
            commit,
            problem=f"--at {commit}: git cannot check it out",
        )
        try:
            yield tree / Path.cwd().resolve().relative_to(root.resolve())
        finally:
            _git(
                "worktree", "remove", "--force", str(tree), problem=f"--at {commit}: git cannot remove {tree}"
            )


def here_paths() -> list[str]:
    """Return the folders of this repository in which Python searches modules, the current folder first.

    Raises:
        UserError: the current folder is in no git repository.
    """
    root = Path(
        _git("rev-parse", "--show-toplevel", problem="--at: this folder is in no git repository")
    ).resolve()
    entries = [Path.cwd().resolve(), *(Path(entry).resolve() for entry in sys.path if entry)]
    if (source := root / "src").is_dir():
        entries.append(source)
    inside = [
        entry
        for entry in entries
        if entry.is_relative_to(root) and not set(entry.parts) & set(INSTALL_FOLDERS)
    ]
    return [str(entry) for entry in dict.fromkeys(inside) if entry.is_dir()]


def paths_in(tree: Path, paths: list[str]) -> list[str]:
    """Return the counterparts of this repository's `paths` in the checkout whose current folder is `tree`."""
    here = Path.cwd().resolve()
    root = Path(
        _git("rev-parse", "--show-toplevel", problem="--at: this folder is in no git repository")
    ).resolve()
    depth = len(here.relative_to(root).parts)
    other_root = tree.parents[depth - 1] if depth else tree
    return [str(other_root / Path(path).relative_to(root)) for path in paths]


def _git(*arguments: str, problem: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError("--at: git is not installed.") from None
    if done.returncode:
        detail = done.stderr.strip().splitlines()
        raise UserError(f"{problem}{f' ({detail[-1]})' if detail else ''}.")
    return done.stdout.strip()
