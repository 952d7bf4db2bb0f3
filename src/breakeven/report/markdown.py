"""Helpers for pages of Markdown: the check of their path, and their tables."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from breakeven.core.errors import UserError


def table(header: Sequence[str], lines: Iterable[Sequence[str]], left: int) -> str:
    """Return a table whose first `left` columns align left and whose other columns, figures, align right."""
    rule = ["---"] * left + ["---:"] * (len(header) - left)
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, rule, *lines])


def target_of(name: str) -> Path:
    """Return the path of a page that a user named.

    Raises:
        UserError: the name does not end in .md, or its folder does not exist.
    """
    target = Path(name)
    if target.suffix != ".md" or not target.parent.is_dir():
        raise UserError(f"{target}: should be a file that ends in .md, in a folder that exists.")
    return target
