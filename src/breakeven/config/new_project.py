"""A project in a folder of the user's own, which uses the installed package (`breakeven init`)."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from breakeven import __version__
from breakeven.config import compose, conf_files, schema
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import write_json, write_text

TEMPLATES = Path(__file__).parent / "templates"
STAGES = Path("dvc.yaml")
HEAD = (
    "# Written by `breakeven init` {version}: `breakeven init --update` writes it anew. Content {digest}.\n"
)
WRITTEN = re.compile(r"# Written by `breakeven init` \S+: .* Content (\w+)\.\n")
IN_CHECKOUT = "PYTHONPATH=src:$PYTHONPATH "  # where the package's source is not installed


def create(folder: Path) -> None:
    """Write a project into `folder`; files that are there already stay as they are.

    Raises:
        UserError: there is a project already.
    """
    if (folder / STAGES).exists():
        raise UserError(
            f"{folder / STAGES} exists: this is a project already. `breakeven init --update` brings one that "
            "`breakeven init` made to the installed version."
        )
    for taken in (paths.PARAMS, paths.CONF / conf_files.FIRST):
        if (folder / taken).exists():
            raise UserError(f"{folder / taken} is of another program: choose another folder.")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: name a folder.")
    (folder / paths.CONF).mkdir(parents=True, exist_ok=True)
    _start_dvc(folder)
    for target, template in {"README.md": "README.md", "conf/README.md": "conf.md"}.items():
        if not (folder / target).exists():
            write_text(folder / target, (TEMPLATES / template).read_text())
    _add_lines(folder / ".gitignore", (TEMPLATES / "gitignore").read_text())
    _add_lines(folder / ".dvcignore", ".*.tmp\n__pycache__/\n")
    write_text(folder / STAGES, stages())
    try:
        _compose(folder, [])
    except UserError:
        (folder / STAGES).unlink()  # so that the same command can be typed again
        raise


def update(folder: Path) -> None:
    """Write dvc.yaml and params.yaml of a project anew, as the installed version has them.

    Raises:
        UserError: `breakeven init` did not make the project, or its dvc.yaml was edited.
    """
    file = folder / STAGES
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    if not (found := WRITTEN.match(text)):
        raise UserError(f"{file} was not written by `breakeven init`, and stays as it is.")
    if found[1] != _digest(text[found.end() :]):
        raise UserError(
            f"{file} was edited, and stays as it is. Move your stages to another file, such as own/dvc.yaml; "
            f"then delete {file.name} and run `breakeven init`."
        )
    write_text(file, stages())
    _compose(folder, schema.overrides(folder))


def stages() -> str:
    """Return the text of a project's dvc.yaml: the package's own, without what only a checkout needs.

    The guard runs always, because no dependency tells that the package's options have changed.
    """
    text = paths.shipped("dvc.yaml").read_text(encoding="utf-8").replace(IN_CHECKOUT, "")
    body = text[text.index("stages:") :]
    guard = "python -m breakeven.pipeline check_params\n"
    body = body.replace(guard, f"{guard}    always_changed: true\n", 1)
    return HEAD.format(version=__version__, digest=_digest(body)) + body


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _compose(folder: Path, overrides: list[str]) -> None:
    text, completed = compose.compose_completed(overrides, folder / paths.CONF)
    schema.validate(yaml.safe_load(text))
    write_text(folder / paths.PARAMS, text)
    write_json(folder / paths.OVERRIDES, completed)


def _add_lines(file: Path, lines: str) -> None:
    """Add the lines that a file lacks."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    missing = [line for line in lines.splitlines() if line not in before.splitlines()]
    if missing:
        write_text(file, "\n".join([*before.splitlines(), *missing, ""]))


def _start_dvc(folder: Path) -> None:
    """Make the folder a repository of git, if it is in none, and of DVC.

    Raises:
        UserError: git is not installed, or DVC refuses.
    """
    if (folder / ".dvc").is_dir():
        return
    if not shutil.which("git"):
        raise UserError("git is not installed, and DVC needs it to tell versions apart: install git.")
    inside = _typed(folder, "git", "rev-parse", "--show-toplevel")
    if inside.returncode:
        _typed(folder, "git", "init", "-q")
    top = Path(inside.stdout.strip() or folder).resolve()
    subdir = ["--subdir"] if top != folder.resolve() else []
    made = _typed(folder, sys.executable, "-m", "dvc", "init", *subdir)
    if made.returncode:
        lines = [line for line in made.stderr.splitlines() if line.startswith("ERROR")]
        raise UserError(f"`dvc init` in {folder}: {(lines or made.stderr.splitlines() or ['it failed'])[0]}")
    write_text(folder / ".dvc/config", (TEMPLATES / "dvc_config").read_text())


def _typed(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
