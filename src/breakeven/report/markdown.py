"""Pages of Markdown: where they may be written, and their tables."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from breakeven.core.errors import UserError


def table(header: Sequence[str], lines: Iterable[Sequence[str]], left: int) -> str:
    """`left` columns of text, then figures."""
    rule = ["---"] * left + ["---:"] * (len(header) - left)
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, rule, *lines])


def target_of(name: str) -> Path:
    """Where a page is to be written.

    Raises:
        UserError: that cannot be.
    """
    target = Path(name)
    if target.suffix != ".md" or not target.parent.is_dir():
        raise UserError(f"{target}: should be a file that ends in .md, in a folder that exists.")
    return target
