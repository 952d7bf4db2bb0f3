"""The processes of one variant in a replicate: one, or one for each caller if callers are processes."""

import math
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.engine.samples import Block, Replicate
from breakeven.engine.settings import Budget, Scenario
from breakeven.engine.worker_client import WorkerProcess

CALLERS_BLOCK_FACTOR = 10  # factor of the block's length for several callers, because each needs enough calls
SETTLING_CALLS = 20  # calls that bring a model back into the caches; data in docs/measuring.md


@dataclass
class VariantProcesses:
    """The processes of a variant, suspended except while they load or are timed."""

    workers: list[WorkerProcess]
    scenario: Scenario
    calls: int = 1  # of each caller in a block
    settle: int = 1  # uncounted calls of each caller before a block
    inner: int = 1  # calls between two readings of the clock
    first: int = 0  # number of the first image of the calls, in the file of images

    def load(self, number: int, images: Path, compare: bool, budget: Budget) -> Replicate:
        """Load and warm up all processes, and return the replicate of the first.

        Also choose the number of calls that fill a block, and the number of uncounted calls before it.

        Args:
            number: the number of the replicate.
            images: a file with an artifact's inputs.
            compare: check the first output of an artifact.
        """
        for worker in self.workers:
            worker.answer()
            worker.suspend()
        replicates = []
        for worker in self.workers:
            with worker.resumed():
                size, callers = self.scenario.batch_size, self._threads
                fields = {"images": str(images), "batch_size": size, "compare": compare, "callers": callers}
                if budget.loop_ms:
                    fields["loop_ms"] = budget.loop_ms
                cold = worker.ask("load", **fields)
                limit, least = max(50.0, 2 * budget.settle_ms), budget.warm_up_calls
                warm = worker.ask("warm_up", least=least, most=200, limit_ms=limit)["calls_ms"]
            replicates.append(Replicate(number, **cold, warmup_ms=warm))
        warm = replicates[0].warmup_ms
        target = budget.block_ms * (CALLERS_BLOCK_FACTOR if self.scenario.callers > 1 else 1)
        self.inner = replicates[0].inner
        steady = self.inner * float(np.median(warm[len(warm) // 2 :]))  # ms between readings
        self.calls = max(1, round(target / steady / self.scenario.callers))
        settle_ms = min(budget.settle_ms, max(budget.block_ms, SETTLING_CALLS * steady))
        self.settle = math.ceil(settle_ms / steady)
        return replicates[0]

    def block(self, number: int, first: int = 0) -> Block:
        """Time one block, in all processes at once.

        Args:
            number: the number of the round.
            first: the number of the first image of its calls, in the file of images.
        """
        with ExitStack() as awake:
            for worker in self.workers:
                awake.enter_context(worker.resumed())
            self.prepare(first)
            if len(self.workers) == 1:
                (worker,) = self.workers
                answer = worker.ask("block", calls=self.calls, settle=self.settle, callers=self._threads)
                return Block(number, **answer, inner=self.inner)
            self._all("settle", calls=self.settle)
            answers = self._all("block", calls=self.calls, settle=0, callers=1)
        began = min(answer["began_ms"] for answer in answers)
        return Block(
            number,
            calls_ms=[call for answer in answers for call in answer["calls_ms"]],
            began_ms=began,
            wall_ms=max(answer["began_ms"] + answer["wall_ms"] for answer in answers) - began,
            cpu_ms=sum(answer["cpu_ms"] for answer in answers),
            switches=sum(answer["switches"] for answer in answers),
            steal_ms=max(answer["steal_ms"] for answer in answers),
            mhz=answers[0]["mhz"],
        )

    def prepare(self, first: int) -> None:
        """Let the next calls take other images; the processes are awake.

        Args:
            first: the number of the first image, in the file of images.
        """
        if first != self.first:
            self.first = first
            self._all("inputs", first=first)

    @property
    def _threads(self) -> int:
        """Return the number of callers that share a process."""
        return 1 if self.scenario.processes else self.scenario.callers

    def _all(self, do: str, **fields: Any) -> list[dict[str, Any]]:
        """Send a command to all processes at once, and return their answers."""
        for worker in self.workers:
            worker.send(do, **fields)
        return [worker.answer() for worker in self.workers]

    def peak_memory_mb(self) -> float:
        """Return the peak memory of all processes together, 10**6 bytes."""
        peak = 0.0
        for worker in self.workers:
            with worker.resumed():
                peak += worker.ask("memory")["peak_memory_mb"]
        return peak

    def kill(self) -> None:
        """Kill the processes."""
        for worker in self.workers:
            worker.kill()
