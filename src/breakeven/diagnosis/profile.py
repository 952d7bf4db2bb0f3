"""Where the time of a call goes: the profiler's operators, corrected, and what was measured around them.

A profiler makes calls longer. What it adds for an operator is measured on chains of operators that compute
nothing (see `overhead.py`), in turn with the model, and taken off. What it adds beyond that, all calls of
operators share.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.operators import Profiled
from breakeven.core.errors import Unsupported
from breakeven.diagnosis import overhead as overheads
from breakeven.diagnosis.clock import block_us, interval_us, p50_us
from breakeven.diagnosis.module_times import module_times
from breakeven.diagnosis.operator_parts import Empty, split
from breakeven.diagnosis.overhead import Chains, Overhead
from breakeven.plugins.runtimes.base import ExecutionContext, Runtime, Session
from breakeven.results.time_profile import TimeProfile

BLOCKS = 8  # of unprofiled calls, each with a block of profiled ones after it
EVENTS = 2500  # operators in a block of profiled calls, at most: torch reads them slowly
FEWEST, MOST = 3, 200  # profiled calls in a block
SHARE_UNPROFILED = 0.5  # of the time


def profile(
    name: str,
    runtime: Runtime,
    context: ExecutionContext,
    folder: Path,
    preprocessing: str,
    images: NDArray[Any],
    seconds: float,
) -> TimeProfile:
    """Return where the time of a call goes. For a process of its own, in which the runtime has started.

    Args:
        name: of the variant.
        folder: of the artifact.
        preprocessing: "inside" or "outside".
        images: the inputs of a call.
        seconds: to measure for, beyond the overhead.

    Raises:
        Unsupported: the runtime has no profiler.
    """
    with TemporaryDirectory() as scratch:
        try:
            chains = Chains(runtime, context, Path(scratch))
            chains.look()
        except Unsupported as error:
            raise Unsupported(f"what its profiler adds cannot be measured: {error}") from None
        session = runtime.load(folder, context, preprocessing)
        is_python = session.module is not None
        module_us = overheads.module_us(runtime, context, Path(scratch)) if is_python else 0.0
        call = partial(session.run, session.prepare(images))
        first = p50_us(call, 0.1)
        probe = runtime.profile(folder, context, session, images, FEWEST)
        seen = max(sum(each.calls for each in probe.operators), 1.0)
        affordable = seconds * (1 - SHARE_UNPROFILED) / BLOCKS / (1e-3 * probe.call_ms)
        calls = int(min(MOST, EVENTS / seen, affordable))
        blocks, told = [], []
        for _ in range(BLOCKS):
            blocks.append(block_us(call, seconds * SHARE_UNPROFILED / BLOCKS))
            told.append(runtime.profile(folder, context, session, images, max(FEWEST, calls)))
            chains.look()
    modules = module_times(session, session.prepare(images), max(FEWEST, int(0.3e6 / first)))
    return _assemble(name, blocks, _typical(told), chains.overhead(), session, module_us, modules)


def _typical(told: list[Profiled]) -> Profiled:
    """Return one profile of several of the same calls, which a disturbed one does not change.

    An operator has its median, or its mean where the calls have different operators.
    """
    call_ms = float(np.median([one.call_ms for one in told]))
    names = [[(each.operator, each.precision, each.outer) for each in one.operators] for one in told]
    if all(own == names[0] for own in names):
        ms = np.median([[each.ms for each in one.operators] for one in told], axis=0)
        typical = [replace(each, ms=float(own)) for each, own in zip(told[0].operators, ms, strict=True)]
        return Profiled(typical, call_ms, told[0].tensors)
    share = 1 / len(told)
    every = [
        replace(each, ms=each.ms * share, calls=each.calls * share) for one in told for each in one.operators
    ]
    return Profiled(every, call_ms, told[0].tensors)


def _assemble(
    name: str,
    blocks: list[float],
    told: Profiled,
    costs: Overhead,
    session: Session,
    module_us: float,
    modules: list[Any],
) -> TimeProfile:
    took = interval_us(blocks)
    count = sum(each.calls for each in told.operators)
    whole = 1e3 * told.call_ms
    least, most = costs.added_us(count, told.tensors)
    added = min(max(whole - took.value, least), most)  # the figure of the chains that explains most
    # What else it slows down, by evicting caches for example. The chains may also say too much: then the
    # operators stay as they are, unless the machine itself was faster in the profiled calls.
    slowed = min(max(1.0, took.value / whole), took.value / max(whole - added, took.value / 2))
    empty = Empty(costs.one.operator_us, costs.inside_us(told.tensors) + costs.one.operator_us)
    parts, calling = split(told.operators, empty, slowed)
    called = max(sum(module.calls for module in modules) - 1, 0)  # calling the model itself is told apart
    spent = sum(module.us for module in modules)
    scale = (took.value - costs.one.call_us) / spent if spent else 1.0
    return TimeProfile(
        name,
        took.value,
        took.low,
        took.high,
        whole,
        parts,
        calling,
        called * module_us,
        costs.one.call_us,
        [replace(module, us=module.us * scale) for module in modules],
        count,
    )
