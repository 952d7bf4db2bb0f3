"""Lines of the user's source code that a tool's message points to."""

import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import torch

# Code in there is not the user's
LIBRARIES = {Path(torch.__file__).parents[1], Path(sysconfig.get_path("stdlib"))}
OURS, IDIOMS = Path(__file__).parent, "idioms"
PLACE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')


def source_lines(message: str) -> Iterator[str]:
    """Yield the user's source lines that a message names, each as "file.py:12: if x.sum() > 0:"."""
    for found in PLACE.finditer(message):
        yield from shown(found["file"], int(found["line"]))


def shown(file: str, line: int | None) -> Iterator[str]:
    """Yield a source line with its place, if it is the user's."""
    path = Path(file)
    if line is None or not path.is_file() or LIBRARIES & {*path.parents}:
        return
    if OURS in path.parents and path.parent.name != IDIOMS:
        return
    text = path.read_text(encoding="utf-8").splitlines()
    if line <= len(text):
        yield f"{path.name}:{line}: {text[line - 1].strip()}"
