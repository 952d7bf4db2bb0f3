"""The build of one artifact, as it runs in the process of its row."""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from breakeven.pipeline.eager_reference import Reference
from breakeven.plugins.runtimes.base import ExportInput

REBUILD_LIMIT_S = 5.0  # after this time, an artifact is not built again for its interval
MODULES = (
    "torch",
    "breakeven.artifacts.saved_model",
    "breakeven.pipeline.build_row",
)  # that every build needs

Write = Callable[[ExportInput, Path], None]  # writes the artifact of a model into a folder


def build_row(write: Write, reference: Reference, folder: Path, builds: int) -> dict[str, Any]:
    """Write the artifact into `folder`, and again to scratch folders; return fields of its manifest.

    These are the seconds of a build, and what a reader of the figures has to know. The toolchain was imported
    before: a fork server does it once.

    Args:
        builds: how often to write it, for an interval of its build time.
    """
    source = reference.source  # loads the model, which is no part of a build
    took: list[float] = []
    while len(took) < builds and sum(took) < REBUILD_LIMIT_S:
        with TemporaryDirectory() as scratch:
            started = time.perf_counter()
            write(source, Path(scratch) if took else folder)
            took.append(time.perf_counter() - started)
    times = {"build_s": float(np.median(took)), "build_s_low": min(took), "build_s_high": max(took)}
    return {**times, "notes": reference.notes}
