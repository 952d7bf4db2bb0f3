"""The operators of some calls in time order, inside the modules that call them, for https://ui.perfetto.dev."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from torch.autograd.profiler import profile, record_function

from breakeven.core.files import read_json, write_json
from breakeven.diagnosis.hooks import around_modules
from breakeven.plugins.runtimes.base import Session

CALLS = 3


def write(session: Session, images: NDArray[Any], file: Path) -> None:
    """Write the trace of a few calls.

    Args:
        images: the inputs of a call.
        file: JSON in Chrome's format, which Perfetto opens.
    """
    inputs = session.prepare(images)
    session.run(inputs)
    ranges: list[record_function] = []

    def begin(name: str) -> None:
        ranges.append(record_function(name or type(session.module).__name__))
        ranges[-1].__enter__()  # type: ignore[no-untyped-call]

    def end(name: str) -> None:
        ranges.pop().__exit__(None, None, None)

    with around_modules(session.module, begin, end), profile() as profiler:
        for _ in range(CALLS):
            session.run(inputs)
    profiler.export_chrome_trace(str(file))
    values = read_json(file)
    values.pop("traceName", None)  # the path of this file
    write_json(file, values)
