"""The operators of some calls in time order, inside the modules that call them, for https://ui.perfetto.dev."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from torch import nn
from torch.autograd.profiler import profile, record_function
from torch.utils.hooks import RemovableHandle

from breakeven.core.files import read_json, write_json
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
    handles: list[RemovableHandle] = []
    open_ranges: list[record_function] = []
    if session.module is not None:
        for name, module in session.module.named_modules():
            handles += _hooks(name or type(module).__name__, module, open_ranges)
    try:
        with profile() as profiler:
            for _ in range(CALLS):
                session.run(inputs)
    finally:
        for handle in handles:
            handle.remove()
    profiler.export_chrome_trace(str(file))
    write_json(
        file, {name: value for name, value in read_json(file).items() if name != "traceName"}
    )  # a path


def _hooks(name: str, module: nn.Module, open_ranges: list[record_function]) -> list[RemovableHandle]:
    def begin(*_: object) -> None:
        open_ranges.append(record_function(name))
        open_ranges[-1].__enter__()  # type: ignore[no-untyped-call]

    def end(*_: object) -> None:
        open_ranges.pop().__exit__(None, None, None)

    return [module.register_forward_pre_hook(begin), module.register_forward_hook(end)]
