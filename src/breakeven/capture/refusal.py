"""What a tool's refusal says: its sentence, the user's source line, its number, and its hint."""

import json
import re
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import torch

from breakeven.capture.source_lines import shown, source_lines
from breakeven.core.toolchain_errors import chain, root_cause, telling_line

REGISTRY = Path(torch.__file__).parent / "_dynamo/graph_break_registry.json"
HINT = re.compile(r"Hint: (?P<hint>.+)")


def in_words(error: BaseException) -> tuple[str, str]:
    """Return the line of an error's message that says something, and the user's source line: "" for none."""
    cause = root_cause(error)
    reason = telling_line(str(cause)) or type(cause).__name__
    if type(cause).__name__ not in reason and not isinstance(cause, RuntimeError):
        reason = f"{type(cause).__name__}: {reason}"
    return reason.rstrip(". "), next(_user_lines(error), "")


def _user_lines(error: BaseException) -> Iterator[str]:
    for each in chain(error):
        for frame in reversed(list(getattr(each, "real_stack", None) or ())):
            yield from shown(frame.filename, frame.lineno)
        for frame in reversed(traceback.extract_tb(each.__traceback__)):
            yield from shown(frame.filename, frame.lineno)
        yield from source_lines(str(each))


@cache
def _registry() -> dict[str, str]:
    entries = json.loads(REGISTRY.read_text(encoding="utf-8"))
    return {each["Gb_type"]: number for number, versions in entries.items() for each in versions}


def registry_number(kind: str) -> str:
    """Return the number of a graph break in Dynamo's registry, as "GB0170"; "" if it has none."""
    return _registry().get(kind, "")


def hint(error: BaseException) -> str:
    """Return what the tool itself says to write instead; "" if it says nothing."""
    found = HINT.search(str(error))
    return found["hint"].strip() if found else ""
