"""What several callers get through together: threads that share a session, or processes with one each.

All arrangements of one artifact have the same cores, and take turns in each round of a replicate, so that a
slow minute meets all of them.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from breakeven.core.errors import Failed, Unsupported, WrongOutput
from breakeven.core.files import temporary_folder
from breakeven.engine.forkserver_client import WorkerFailed
from breakeven.engine.settings import Arrangement, Budget, Scenario
from breakeven.engine.variant_processes import VariantProcesses
from breakeven.engine.worker_pool import WorkerPool

CANNOT = (Unsupported, WrongOutput, WorkerFailed)
BUDGET = Budget(block_ms=20.0)  # of one caller; several have ten times as long


def throughputs(
    folder: Path, images: Path, arrangements: Sequence[Arrangement], cores: int, replicates: int, rounds: int
) -> Mapping[Arrangement, list[float]]:
    """Return the calls per second of each arrangement, a value for each replicate.

    Args:
        folder: of the artifact.
        images: a file with inputs.
        cores: that each arrangement has.
        replicates: of fresh processes.
        rounds: blocks of each arrangement in a replicate.

    Raises:
        Failed: an arrangement cannot run; the message says which, and why.
    """
    found: dict[Arrangement, list[float]] = {each: [] for each in arrangements}
    with temporary_folder() as caches:  # of all replicates: how long a start takes is not asked here
        for number in range(replicates):
            with ExitStack() as stack:
                alive = dict(_started(stack, folder, images, arrangements, cores, number, caches))
                for each, per_s in _rounds(alive, rounds, seed=number).items():
                    found[each].append(per_s)
    return found


def _started(
    stack: ExitStack,
    folder: Path,
    images: Path,
    arrangements: Sequence[Arrangement],
    cores: int,
    number: int,
    caches: Path,
) -> Iterator[tuple[Arrangement, VariantProcesses]]:
    """Yield each arrangement with its processes, loaded and warm."""
    pools = {}
    for threads in sorted({each.threads for each in arrangements}):
        (own := caches / f"{threads}-threads").mkdir(exist_ok=True)
        settings = {"name": "cpu", "threads": threads, "cores": cores}
        pools[threads] = stack.enter_context(WorkerPool(settings, BUDGET.timeout_s, own))
    for pool in pools.values():  # they import in parallel
        pool.prepare(folder)
    for each in arrangements:
        scenario = Scenario(1, each.callers, each.processes)
        with _named(each):
            count = each.callers if each.processes else 1
            workers = [stack.enter_context(pools[each.threads].worker(folder)) for _ in range(count)]
            processes = VariantProcesses(workers, scenario)
            processes.load(number, images, False, BUDGET)
        yield each, processes


def _rounds(
    alive: Mapping[Arrangement, VariantProcesses], rounds: int, seed: int
) -> Mapping[Arrangement, float]:
    """Return the calls per second of each arrangement, over rounds in which each has one block."""
    calls, wall_ms = dict.fromkeys(alive, 0), dict.fromkeys(alive, 0.0)
    chance = random.Random(seed)
    for number in range(rounds):
        for each in chance.sample([*alive], len(alive)):
            with _named(each):
                block = alive[each].block(number)
            calls[each] += block.inner * len(block.calls_ms)
            wall_ms[each] += block.wall_ms
    return {each: 1e3 * calls[each] / wall_ms[each] for each in alive}


@contextmanager
def _named(arrangement: Arrangement) -> Iterator[None]:
    """Say of an error which arrangement had it."""
    try:
        yield
    except CANNOT as error:
        kind = "processes" if arrangement.processes else "threads"
        who = f"{arrangement.callers} callers ({kind})" if arrangement.callers > 1 else "one caller"
        raise Failed(f"{who}, {arrangement.threads} threads a call: {str(error).rstrip('.')}") from error
