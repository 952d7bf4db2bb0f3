"""Who runs when: replicates of fresh workers, rounds in random order, one variant at a time."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from breakeven.core.errors import Unsupported
from breakeven.engine.forkserver_client import WorkerFailed
from breakeven.engine.samples import FAILED, OK, UNSUPPORTED, Samples
from breakeven.engine.settings import Budget, Scenario
from breakeven.engine.target import Variant
from breakeven.engine.variant_processes import VariantProcesses
from breakeven.engine.worker_pool import WorkerPool


class Schedule:
    """Runs replicates; the first two variants (the baseline and its twin) are in every round."""

    def __init__(
        self,
        variants: Mapping[str, Variant],
        hardware: Mapping[str, Any],
        images: Path,
        scenario: Scenario,
        budget: Budget,
        scored: bool,
        caches: Path,
    ) -> None:
        self.variants, self.hardware, self.images = variants, hardware, images
        self.scenario, self.budget, self.scored = scenario, budget, scored
        self.samples = {name: Samples() for name in variants}
        self.caches = caches  # empty in the first replicate: that one starts cold
        self._draw = random.Random(budget.seed)
        self._number = 0
        self._memory_mb = budget.memory_mb or psutil.virtual_memory().available / 2e6

    def replicate(self) -> None:
        """One more: new servers and workers, loaded in random order, in groups that fit into memory."""
        names = list(self.variants)
        order = [name for name in names if self.samples[name].status == OK]
        self._draw.shuffle(order)
        with WorkerPool(self.hardware, self.budget.timeout_s, self.caches) as nursery:
            self._round = 0
            for name in order:  # they import side by side, because nothing is being timed yet
                nursery.prepare(self.variants[name], self._copy(name))
            nursery.wait()
            alive: dict[str, VariantProcesses] = {}
            while order:
                with ExitStack() as group:
                    self._admit(order, names[:2], alive, nursery, group)
                    self._rounds(alive)
                    others = [name for name in alive if name not in names[:2]]
                    for name in [*others, *([] if order else names[:2])]:
                        self._finish(name, alive)
        self._number += 1

    def _copy(self, name: str) -> int:
        """How many before it are made of the same artifact."""
        variants = list(self.variants.values())
        return variants[: list(self.variants).index(name)].count(self.variants[name])

    def _admit(
        self,
        order: list[str],
        always: Sequence[str],
        alive: dict[str, VariantProcesses],
        nursery: WorkerPool,
        group: ExitStack,
    ) -> None:
        """Start and load from the front of `order` while memory lasts, and `always` whatever it says.

        One after another, alone on the machine, because loading is timed. Those of `always` live as long as
        the replicate, the others as long as their group.
        """
        for name in list(order):
            full = (
                nursery.memory_mb(worker for stand in alive.values() for worker in stand.workers)
                > self._memory_mb
            )
            if full and name not in always and set(alive) - set(always):
                continue
            order.remove(name)
            with self._drop_on_failure(name, alive):
                stack = nursery if name in always else group
                self._start(name, alive, nursery, stack)

    def _start(
        self, name: str, alive: dict[str, VariantProcesses], nursery: WorkerPool, stack: ExitStack
    ) -> None:
        variant, copy, scenario = self.variants[name], self._copy(name), self.scenario
        count = scenario.callers if scenario.processes else 1
        workers = [stack.enter_context(nursery.worker(variant, copy)) for _ in range(count)]
        alive[name] = stand = VariantProcesses(workers, scenario)
        replicate = stand.load(self._number, self.images, self.scored, self.budget)
        self.samples[name].replicates.append(replicate)

    def _rounds(self, alive: dict[str, VariantProcesses]) -> None:
        """Every variant once a round, in an order that is drawn anew."""
        for _ in range(self.budget.rounds if alive else 0):
            order = list(alive)
            self._draw.shuffle(order)
            for name in order:
                with self._drop_on_failure(name, alive):
                    block = alive[name].block(self._round)
                    self.samples[name].replicates[-1].blocks.append(block)
            self._round += 1

    def _finish(self, name: str, alive: dict[str, VariantProcesses]) -> None:
        """Note the memory; the processes end with their group."""
        if name in alive:
            with self._drop_on_failure(name, alive):
                self.samples[name].replicates[-1].peak_memory_mb = alive[name].peak_memory_mb()
            alive.pop(name, None)

    @contextmanager
    def _drop_on_failure(self, name: str, alive: dict[str, VariantProcesses]) -> Iterator[None]:
        """Strike a variant off, with the reason, where its worker cannot or dies."""
        try:
            yield
            return
        except Unsupported as error:
            self.samples[name].status, self.samples[name].reason = UNSUPPORTED, str(error)
        except WorkerFailed as error:
            self.samples[name].status, self.samples[name].reason = FAILED, str(error)
        if stand := alive.pop(name, None):
            stand.kill()
