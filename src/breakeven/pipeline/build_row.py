"""The build of one artifact, as it runs in the process of its row."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from breakeven.pipeline.check import Reference
from breakeven.plugins.runtimes.base import ExportInput

REBUILD_LIMIT_S = 5.0  # after this time, an artifact is not built again for its interval
MODULES = (
    "torch",
    "breakeven.artifacts.saved_model",
    "breakeven.pipeline.build_row",
)  # that every build needs

Write = Callable[[ExportInput, Path], None]  # writes the artifact of a model into a folder


def build_row(write: Write, reference: Reference, folder: Path, builds: int, warm_up: bool) -> dict[str, Any]:
    """Write the artifact into `folder`, and again to scratch folders; return fields of its manifest.

    These are the seconds of a build, and what a reader of the figures has to know.

    Args:
        builds: how often to write it, for an interval of its build time.
        warm_up: build a small network first, so that no build time contains the imports of the toolchain.
    """
    source = reference.source  # loads the model, which is no part of a build
    if warm_up:
        # The real build will report errors.
        with TemporaryDirectory() as scratch, contextlib.suppress(Exception):
            write(reference.small(), Path(scratch))
    took: list[float] = []
    while len(took) < builds and sum(took) < REBUILD_LIMIT_S:
        with TemporaryDirectory() as scratch:
            started = time.perf_counter()
            write(source, Path(scratch) if took else folder)
            took.append(time.perf_counter() - started)
    times = {"build_s": float(np.median(took)), "build_s_low": min(took), "build_s_high": max(took)}
    return {**times, "notes": reference.notes}
