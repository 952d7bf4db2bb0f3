"""What oneDNN executes: it prints a line for each of its calls, if it is asked to."""

import ctypes
import os
import re
import tempfile
import time
from collections.abc import Callable

from breakeven.artifacts.operators import OperatorTime
from breakeven.core.errors import Unsupported

# The operator, its implementation, its tensors, milliseconds; cpp/src/onednn.hpp reads the same.
LINE = re.compile(
    r"^onednn_verbose(?:,v1)?(?:,primitive)?,exec,cpu,([^,]+),([^,]+),[^,]*,([^,]*),.*,([^,]+)$", re.MULTILINE
)
SOURCE = re.compile(r"\bsrc\w*:(\w+)")
PRECISIONS = {"f32": "fp32", "bf16": "bf16", "u8": "int8", "s8": "int8"}
CONVERSION = "reorder"
REST = "its own kernels and what lies between"


def profile(run: Callable[[], object], calls: int) -> list[OperatorTime]:
    """The calls of oneDNN, and what is left of the time of `run`: nobody tells what that computes in.

    Raises:
        Unsupported: there is no oneDNN.
    """
    from torch.backends import mkldnn

    if not mkldnn.is_available():  # type: ignore[no-untyped-call]
        raise Unsupported("this torch has no oneDNN, whose calls are what is told of it")

    def all_calls() -> None:
        for _ in range(calls):
            run()

    started = time.perf_counter()
    all_calls()
    whole = 1e3 * (time.perf_counter() - started) / calls  # before anything is printed, which takes time
    with mkldnn.verbose(mkldnn.VERBOSE_ON):  # type: ignore[no-untyped-call]
        kernels = parse_lines(capture_stdout(all_calls), calls)
    rest = max(whole - sum(kernel.ms for kernel in kernels), 0.0)
    return [*kernels, OperatorTime(REST, "", rest)]


def parse_lines(lines: str, calls: int) -> list[OperatorTime]:
    """The calls that oneDNN has printed, while the model was called so many times."""
    kernels = []
    for operator, implementation, tensors, ms in LINE.findall(lines):
        source = SOURCE.search(tensors)
        precision = PRECISIONS.get(source[1], "") if source and operator != CONVERSION else ""
        kernels.append(
            OperatorTime(f"{operator} ({implementation})", precision, float(ms) / calls, 1 / calls)
        )
    return kernels


def capture_stdout(run: Callable[[], object]) -> str:
    """What `run` prints to standard output, C++ included."""
    flush = ctypes.CDLL(None).fflush
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        flush(None)  # what was printed before is no part of it
        kept = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            run()
        finally:
            flush(None)
            os.dup2(kept, 1)
            os.close(kept)
        file.seek(0)
        return file.read()
