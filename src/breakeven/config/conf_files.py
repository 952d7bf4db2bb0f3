"""The files that a composition reads: those of the project's `conf/`, and those that the package ships.

A project that `breakeven init` made holds only what it adds. A checkout of Breakeven holds all of them: its
`conf/config.yaml` says so.
"""

import re
from pathlib import Path

from breakeven.core import paths

FIRST = "config.yaml"  # every composition begins with it
IN_SHORT = "In short:"


def folders(conf: Path) -> list[Path]:
    """Return the folders of option files, in the order of the search."""
    return [conf] if (conf / FIRST).is_file() else [conf, paths.shipped("conf")]


def find(conf: Path, name: str) -> Path:
    """Return the file, such as "model/cnn.yaml"; where there is none, its path in the project's folder."""
    files = [folder / name for folder in folders(conf)]
    return next((file for file in files if file.is_file()), files[0])


def is_group(conf: Path, group: str) -> bool:
    """Return whether options stand in a folder of this name."""
    return any((folder / group).is_dir() for folder in folders(conf))


def options(conf: Path, group: str) -> list[str]:
    """Return the names of a group's options."""
    return sorted({file.stem for folder in folders(conf) for file in (folder / group).glob("*.yaml")})


def in_short(conf: Path, group: str, name: str) -> str:
    """Return what an option is in a few words, as its file says in a comment that begins with "In short:"."""
    file = find(conf, f"{group}/{name}.yaml")
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    found = re.search(rf"^# {IN_SHORT} (.+?)\.?$", text, re.MULTILINE)
    return found[1] if found else ""


def files(conf: Path, pattern: str = "**/*.yaml") -> list[Path]:
    """Return all files whose names match."""
    return [file for folder in folders(conf) for file in sorted(folder.glob(pattern))]


def replacements(conf: Path) -> list[Path]:
    """Return the project's own files that take the place of one that the package ships."""
    own, *shipped = folders(conf)
    names = [file.relative_to(own) for file in sorted(own.rglob("*.yaml"))]
    return [own / name for name in names if any((folder / name).is_file() for folder in shipped)]
