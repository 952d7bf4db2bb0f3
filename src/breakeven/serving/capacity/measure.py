"""The baseline and another variant of a family behind the service, in turn: what is left of the speedup."""

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.core import machine_lock
from breakeven.core.files import temporary_folder
from breakeven.core.progress import counted as progress
from breakeven.results.served import BatchingRecord, ServedRow
from breakeven.serving.capacity import batching, bodies
from breakeven.serving.capacity.blocks import Blocks
from breakeven.serving.capacity.search import Capacity, capacity
from breakeven.serving.capacity.server import served
from breakeven.serving.capacity.speedup import Answering, answering
from breakeven.serving.served_model import ServedModel
from breakeven.serving.settings import ServiceSettings

BODIES = 16  # samples that are sent in turn
ROOM = 2.5  # of a limit, in medians of the baseline
PAIRS = 3  # of blocks at each rate, with batching and without


@dataclass(frozen=True)
class Plan:
    """How long and how often to measure."""

    seconds: float = 3.0  # of a block, at least
    requests: int = 500  # of a block of which the p99 counts, at least
    rounds: int = 8  # of one caller
    replicates: int = 5  # of a rate that is decided
    limit_ms: float | None = None  # on the p99; None: one that the baseline keeps


def measure(
    models: Mapping[str, ServedModel],
    offline_ms: Mapping[str, float],
    samples: NDArray[Any],
    settings: ServiceSettings,
    plan: Plan,
    cores: tuple[Sequence[int], int],
) -> tuple[float, list[ServedRow]]:
    """Serve each model on some cores, send requests from another core, and return the limit and the rows.

    Args:
        models: name of the variant -> model, the baseline first.
        offline_ms: name -> what a call of the model takes offline.
        samples: of the test set.
        cores: of the services, and of the load generator.
    """
    with ExitStack() as stack:
        stack.enter_context(machine_lock.exclusive())
        folder = stack.enter_context(temporary_folder())
        files = bodies.write(samples[:BODIES], next(iter(models.values())).shape, folder)
        urls = {
            name: stack.enter_context(served(model, settings, cores[0])) for name, model in models.items()
        }
        blocks = Blocks(urls, files, cores[1], plan.seconds, plan.requests)
        with progress("serving", 1 + len(models)) as count:
            count.begin("one caller")
            seen = answering(blocks, plan.rounds, dict(offline_ms))
            count.end()
            rows = []
            limit_ms = plan.limit_ms or limit_of(seen.p50(next(iter(models))).value)
            for name in models:
                count.begin(f"highest rate of {name}")
                first = 500 / seen.p50(name).value  # half of what one caller gets through
                rates = _Rates(blocks, name)
                found = capacity(rates.p99_ms, first, limit_ms, plan.replicates)
                rows.append(_row(name, offline_ms[name], seen, found, rates.late))
                count.end()
    return limit_ms, rows


def limit_of(p50_ms: float) -> float:
    """Return a limit on the p99 that a service keeps whose requests take `p50_ms`, milliseconds.

    It is the least of 10, 20, 50, 100 and so on that leaves a request room to wait for another one.
    """
    steps = (step * 10.0**power for power in itertools.count(1) for step in (1, 2, 5))
    return next(step for step in steps if step >= ROOM * p50_ms)


def measure_batching(
    model: ServedModel,
    samples: NDArray[Any],
    settings: ServiceSettings,
    plan: Plan,
    cores: tuple[Sequence[int], int],
) -> BatchingRecord:
    """Serve a model with dynamic batching and without, and send the same requests to both.

    Args:
        settings: of the service with batching.
        samples: of the test set.
        cores: of the services, and of the load generator.
    """
    with ExitStack() as stack:
        stack.enter_context(machine_lock.exclusive())
        folder = stack.enter_context(temporary_folder())
        files = bodies.write(samples[:BODIES], model.shape, folder)
        both = batching.services(settings)
        urls = {name: stack.enter_context(served(model, own, cores[0])) for name, own in both.items()}
        blocks = Blocks(urls, files, cores[1], plan.seconds, plan.requests)
        with progress("batching", 1) as count:
            count.begin(f"{settings.max_batch} samples a call")
            whole = np.ascontiguousarray(samples[: settings.max_batch])
            found = batching.compare(blocks, whole, folder, settings, PAIRS)
            count.end()
    return found


class _Rates:
    """Blocks of one service at given rates, which remember where the generator itself came late."""

    def __init__(self, blocks: Blocks, name: str) -> None:
        self._blocks, self._name = blocks, name
        self.late: set[float] = set()

    def p99_ms(self, rate: float, seed: int) -> float:
        found = self._blocks.open(self._name, rate, seed)
        if found.void:
            self.late.add(rate)
        return math.inf if found.void or found.errors or not found.latency else found.latency.p99


def _row(
    name: str, offline_ms: float, seen: Answering, found: Capacity, late: Collection[float]
) -> ServedRow:
    return ServedRow(
        variant=name,
        offline_p50_ms=offline_ms,
        p50_ms=seen.p50_ms[name],
        p99_ms=seen.p99_ms[name],
        parts_ms=asdict(seen.parts[name]),
        capacity_per_s=found.rate.per_s if found.rate else None,
        capacity_p99_ms=found.rate.p99_ms if found.rate else [],
        refused_per_s=found.above.per_s,
        is_generators_limit=found.above.per_s in late,
    )
