"""The files of the report's extra sections, which other commands than `dvc repro` leave."""

from pathlib import Path

from breakeven.core import paths
from breakeven.core.digests import sha256


def folder() -> Path:
    """Return the folder of the sections, one JSON file each."""
    return paths.private() / "report"


def versions() -> dict[str, str]:
    """Return the digest of each section by its name: a report with other sections is another report."""
    return {f"section {file.stem}": sha256(file) for file in sorted(folder().glob("*.json"))}
