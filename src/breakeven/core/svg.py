"""Pictures with text as text and nothing random or dated: the same results give the same file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from breakeven.core.files import atomic


@contextmanager
def drawn(path: Path, width: float, height: float) -> Iterator[Any]:
    """A figure of matplotlib to draw on, inches; written to `path` when the block ends well."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "breakeven", "font.size": 9}):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        with atomic(path) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None})
