"""Helpers for pages of Markdown: the check of their path, and their tables."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from breakeven.core.errors import UserError

WIDE_PAGE = (
    "---\nhide: [navigation, toc]\n---\n\n"  # the head of a page that gives its tables the whole width
)


def table(header: Sequence[str], lines: Iterable[Sequence[str]], left: int) -> str:
    """Return a table. Its first columns align left; the others, figures, align right.

    Args:
        left: how many columns align left at the start.
    """
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
