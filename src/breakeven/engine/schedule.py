"""The schedule of a run: replicates of fresh workers, rounds in balanced order, one variant at a time."""

import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from breakeven.core.errors import Unsupported, WrongOutput
from breakeven.engine.allocation import best_rounds
from breakeven.engine.forkserver_client import WorkerFailed
from breakeven.engine.interpreter import THIS_PYTHON, Interpreter
from breakeven.engine.racing import dominated
from breakeven.engine.samples import FAILED, OK, STOPPED, UNSUPPORTED, WRONG, Samples
from breakeven.engine.settings import Budget, Scenario
from breakeven.engine.target import Variant
from breakeven.engine.turn_order import balanced_orders
from breakeven.engine.variant_processes import VariantProcesses
from breakeven.engine.worker_pool import WorkerPool

MORE_BASE_TURNS = 1  # in each round, besides the one that every variant has


class Schedule:
    """A run's variants and the samples taken of them so far.

    The first two variants are the baseline and its twin; both take part in every round.
    """

    def __init__(
        self,
        variants: Mapping[str, Variant],
        hardware: Mapping[str, Any],
        images: Path,
        scenario: Scenario,
        budget: Budget,
        scored: bool,
        caches: Path,
        interpreters: Mapping[str, Interpreter] | None = None,
    ) -> None:
        self.variants, self.hardware, self.images = variants, hardware, images
        self.interpreters = {name: (interpreters or {}).get(name, THIS_PYTHON) for name in variants}
        self._firsts: list[int] = []
        self.scenario, self.budget, self.scored = scenario, budget, scored
        self.samples = {name: Samples() for name in variants}
        self.caches = caches  # empty in the first replicate, which therefore starts cold
        self._draw = random.Random(budget.seed)
        self._number = 0
        self.rounds = budget.rounds  # of the next replicate
        self._start_s: list[float] = []  # of each replicate: all its time outside of its rounds
        self._rounds_s: list[float] = []  # of each replicate: the time of one round
        self._memory_mb = budget.memory_mb or psutil.virtual_memory().available / 2e6

    def replicate(self) -> None:
        """Run one more replicate with new fork servers and new workers.

        Variants load in random order. If memory does not hold all of them, they run in groups.
        """
        names = list(self.variants)
        order = [name for name in names if self._takes_part(name)]
        self._draw.shuffle(order)
        began, self._timed_s = time.monotonic(), 0.0
        with WorkerPool(self.hardware, self.budget.timeout_s, self.caches) as pool:
            self._round = 0
            self._firsts = self._draw_images()
            pool.expect(self.variants[name] for name in order)
            for name in order:  # servers import in parallel, because nothing is timed yet
                pool.prepare(self.variants[name], self._copy(name), self.interpreters[name])
            pool.wait()
            alive: dict[str, VariantProcesses] = {}
            while order:
                with ExitStack() as group:
                    self._admit(order, names[:2], alive, pool, group)
                    self._rounds(alive)
                    compared_names = [name for name in alive if name not in names[:2]]
                    for name in [*compared_names, *([] if order else names[:2])]:
                        self._finish(name, alive)
        self._rounds_s.append(self._timed_s / max(self._round, 1))
        self._start_s.append(time.monotonic() - began - self._timed_s)
        self._number += 1

    def _takes_part(self, name: str) -> bool:
        return self.samples[name].status == OK and not self.samples[name].stopped

    def choose_rounds(self, seconds: float, replicates: int) -> None:
        """Choose the number of rounds of the next replicate.

        Args:
            seconds: the time that the replicate may take. It gets at least the budget's number of rounds.
            replicates: how many the run still has to make, this one included.
        """
        start_s, round_s = np.median(self._start_s), max(np.median(self._rounds_s), 1e-6)
        running = {name: own.replicates for name, own in self.samples.items() if self._takes_part(name)}
        best = best_rounds(running, float(start_s), float(round_s))
        fitting = (seconds - start_s) / round_s
        best = max(min(best, self.budget.max_rounds), self.missing_blocks / replicates)
        self.rounds = max(self.budget.rounds, int(min(math.ceil(best), fitting)))

    @property
    def missing_blocks(self) -> int:
        """Return how many blocks of each variant the budget still asks for."""
        base, *others = self.variants
        # The twin takes part in the rounds of every group, so it has more blocks than a variant of one.
        running = [name for name in others if self._takes_part(name)] or [base]
        done = [sum(len(each.blocks) for each in self.samples[name].replicates) for name in running]
        return max(self.budget.min_blocks - min(done), 0)

    def race(self, costs: Mapping[str, Sequence[float]], levels: Mapping[str, Sequence[float]]) -> None:
        """Stop the variants that others dominate; the baseline and its twin always go on.

        Args:
            costs: name -> what it costs besides time; lower is better. Variants without costs go on.
            levels: name -> the log time of a call in each replicate.
        """
        racing = {name: np.array(levels[name]) for name in levels if name in costs and self._takes_part(name)}
        for name, rival in dominated(racing, costs).items():
            if name not in list(self.variants)[:2]:
                count, why = len(racing[name]), f"{rival} is surely faster, and no worse in accuracy and size"
                self.samples[name].stopped = f"{STOPPED} {count} replicates, because {why}"

    def _draw_images(self) -> list[int]:
        """Return the order in which the rounds of this replicate take the batches of the file of images.

        All variants of a round are timed with the same images. Each number is that of a batch's first image.
        """
        size = self.scenario.batch_size
        count = len(np.load(self.images, mmap_mode="r")) if self.images.exists() else size
        firsts = [size * batch for batch in range(max(1, count // size))]
        random.Random(f"{self.budget.seed} {self._number}").shuffle(firsts)
        return firsts

    def _copy(self, name: str) -> int:
        """Return how many variants before `name` have the same target and the same Python: 1 for the twin."""
        targets = [(variant, self.interpreters[each]) for each, variant in self.variants.items()]
        at = list(self.variants).index(name)
        return targets[:at].count(targets[at])

    def _admit(
        self,
        order: list[str],
        always: Sequence[str],
        alive: dict[str, VariantProcesses],
        pool: WorkerPool,
        group: ExitStack,
    ) -> None:
        """Start and load the next variants of `order` until memory is full, and remove them from `order`.

        Variants in `always` start even if memory is full, and so does the first other variant of a group.
        Variants load one after another, because their loading is timed. Workers of `always` live until the
        end of the replicate, all others until the end of their group.
        """
        held_mb = self._held_mb(alive)
        for name in list(order):
            full = pool.memory_mb() + sum(held_mb.values()) > self._memory_mb
            if full and name not in always and set(alive) - set(always):
                continue
            order.remove(name)
            with self._drop_on_failure(name, alive):
                stack = pool if name in always else group
                self._start(name, alive, pool, stack)
                held_mb |= self._held_mb({name: alive[name]})

    def _held_mb(self, alive: Mapping[str, VariantProcesses]) -> dict[str, float]:
        """Return the memory of each variant's workers, which does not change while they are stopped."""
        return {name: sum(worker.memory_mb for worker in own.workers) for name, own in alive.items()}

    def _start(
        self, name: str, alive: dict[str, VariantProcesses], pool: WorkerPool, stack: ExitStack
    ) -> None:
        variant, copy, scenario = self.variants[name], self._copy(name), self.scenario
        count = scenario.callers if scenario.processes else 1
        worker = partial(pool.worker, variant, copy, self.interpreters[name])
        workers = [stack.enter_context(worker()) for _ in range(count)]
        alive[name] = processes = VariantProcesses(workers, scenario)
        replicate = processes.load(self._number, self.images, self.scored, self.budget)
        self.samples[name].replicates.append(replicate)

    def _rounds(self, alive: dict[str, VariantProcesses]) -> None:
        """Run the rounds of a group: each round times one block of each variant, in a new balanced order.

        The baseline enters each comparison, so it has two blocks in a round.
        """
        if not alive:
            return
        began = time.monotonic()
        base = next(iter(self.variants))
        turns = [*alive, *([base] * MORE_BASE_TURNS if base in alive and len(alive) > 2 else [])]
        for order in islice(self.orders(turns), self.rounds):
            for name in (name for name in order if name in alive):
                with self._drop_on_failure(name, alive):
                    first = self._firsts[self._round % len(self._firsts)]
                    block = alive[name].block(self._round, first)
                    self.samples[name].replicates[-1].blocks.append(block)
            self._round += 1
        self._timed_s += time.monotonic() - began

    def orders(self, turns: Sequence[str]) -> Iterator[list[str]]:
        """Yield the order of each round, without end; each turn follows each other one equally often."""
        yield from balanced_orders(turns, self._draw)

    def _finish(self, name: str, alive: dict[str, VariantProcesses]) -> None:
        """Record the peak memory of a variant, which takes part in no further round of the replicate."""
        if name in alive:
            with self._drop_on_failure(name, alive):
                self.samples[name].replicates[-1].peak_memory_mb = alive[name].peak_memory_mb()
            alive.pop(name, None)

    @contextmanager
    def _drop_on_failure(self, name: str, alive: dict[str, VariantProcesses]) -> Iterator[None]:
        """Exclude a variant from the rest of the run, and keep the reason, if the `with` block fails."""
        try:
            yield
            return
        except Unsupported as error:
            self.samples[name].status, self.samples[name].reason = UNSUPPORTED, str(error)
        except WrongOutput as error:
            self.samples[name].status, self.samples[name].reason = WRONG, str(error)
        except WorkerFailed as error:
            self.samples[name].status, self.samples[name].reason = FAILED, str(error)
        if processes := alive.pop(name, None):
            processes.kill()
