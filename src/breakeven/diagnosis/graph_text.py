"""Graphs as text that people compare: without comments, and as a difference of two."""

import difflib
import re

SOURCE = re.compile(r"\s*# .*$", re.MULTILINE)  # where a node comes from
VALUE = re.compile(r"%[\w.]+")  # a value of TorchScript, whose number changes with every pass


def without_comments(graph: str) -> str:
    """Return a graph without the comments at the ends of its lines."""
    return SOURCE.sub("", graph)


def difference(before: str, after: str, names: tuple[str, str]) -> str:
    """Return how a graph differs from another one, as `diff -u` writes it; "" if they do the same.

    Values of TorchScript are numbered anew by every pass, so their names do not count.

    Args:
        names: of both graphs, as the head of the difference shows them.
    """
    old, new = (_lines(graph) for graph in (before, after))
    return "\n".join(difflib.unified_diff(old, new, *names, lineterm=""))


def _lines(graph: str) -> list[str]:
    return VALUE.sub("%_", without_comments(graph)).splitlines()
