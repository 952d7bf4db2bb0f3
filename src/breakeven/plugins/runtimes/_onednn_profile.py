"""The calls of oneDNN, which prints a line for each call while its verbose mode is on.

https://uxlfoundation.github.io/oneDNN/dev_guide_verbose.html
"""

import ctypes
import os
import re
import tempfile
import time
from collections.abc import Callable

from breakeven.artifacts.operators import OperatorTime, Profiled
from breakeven.core.errors import Unsupported

# The operator, its implementation, its tensors, milliseconds; cpp/src/onednn.hpp reads the same.
PROFILE_LINE = re.compile(
    r"^onednn_verbose(?:,v1)?(?:,primitive)?,exec,cpu,([^,]+),([^,]+),[^,]*,([^,]*),.*,([^,]+)$", re.MULTILINE
)
SOURCE_TYPE = re.compile(r"\bsrc\w*:(\w+)")
PRECISIONS = {"f32": "fp32", "bf16": "bf16", "u8": "int8", "s8": "int8"}
CONVERSION = "reorder"
OUTSIDE_ONEDNN = "its own kernels and what lies between"


def profile(run: Callable[[], object], calls: int) -> Profiled:
    """Return the calls of oneDNN in `run`, in milliseconds per call, and the rest of the time.

    The precision of the rest is unknown.

    Raises:
        Unsupported: this torch has no oneDNN.
    """
    from torch.backends import mkldnn

    if not mkldnn.is_available():  # type: ignore[no-untyped-call]
        raise Unsupported("this torch has no oneDNN, whose calls are what is told of it")

    def all_calls() -> None:
        for _ in range(calls):
            run()

    started = time.perf_counter()
    all_calls()
    # Before oneDNN prints, which takes time. oneDNN itself times its calls, without what it prints.
    whole = 1e3 * (time.perf_counter() - started) / calls
    with mkldnn.verbose(mkldnn.VERBOSE_ON):  # type: ignore[no-untyped-call]
        kernels = parse_lines(capture_stdout(all_calls), calls)
    rest = max(whole - sum(kernel.ms for kernel in kernels), 0.0)
    return Profiled([*kernels, OperatorTime(OUTSIDE_ONEDNN, "", rest)], whole)


def parse_lines(lines: str, calls: int) -> list[OperatorTime]:
    """Return the calls in the printed `lines` of `calls` calls of the model."""
    kernels = []
    for operator, implementation, tensors, ms in PROFILE_LINE.findall(lines):
        source = SOURCE_TYPE.search(tensors)
        precision = PRECISIONS.get(source[1], "") if source and operator != CONVERSION else ""
        kernels.append(
            OperatorTime(f"{operator} ({implementation})", precision, float(ms) / calls, 1 / calls)
        )
    return kernels


def capture_stdout(run: Callable[[], object]) -> str:
    """Return what `run` prints to standard output, also from C++."""
    flush = ctypes.CDLL(None).fflush
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        flush(None)  # so that what was printed before is not captured
        saved_stdout = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            run()
        finally:
            flush(None)
            os.dup2(saved_stdout, 1)
            os.close(saved_stdout)
        file.seek(0)
        return file.read()
