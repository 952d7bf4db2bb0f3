"""A variant while it is alive: its processes, one unless the callers of a server are processes."""

import math
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.engine.samples import Block, Replicate
from breakeven.engine.settings import Budget, Scenario
from breakeven.engine.worker_client import WorkerProcess

LONGER = 10  # a block with several callers: each needs calls of its own
SETTLING = 20  # calls until a model is back in the caches; docs/measuring.md has the figures


@dataclass
class VariantProcesses:
    """The processes, frozen but while they load or are timed."""

    workers: list[WorkerProcess]
    scenario: Scenario
    calls: int = 1  # a block and caller
    settle: int = 1  # before it, by each caller
    inner: int = 1  # calls between two readings of the clock

    def load(self, number: int, images: Path, compare: bool, budget: Budget) -> Replicate:
        """Load, warm up, and find how many calls fill a block, and the time before it."""
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
        target = budget.block_ms * (LONGER if self.scenario.callers > 1 else 1)
        self.inner = replicates[0].inner
        steady = self.inner * float(np.median(warm[len(warm) // 2 :]))  # between two readings of the clock
        self.calls = max(1, round(target / steady / self.scenario.callers))
        settle_ms = min(budget.settle_ms, max(budget.block_ms, SETTLING * steady))
        self.settle = math.ceil(settle_ms / steady)
        return replicates[0]

    def block(self, number: int) -> Block:
        """One block; of all processes at once, if there are several."""
        with ExitStack() as awake:
            for worker in self.workers:
                awake.enter_context(worker.resumed())
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

    @property
    def _threads(self) -> int:
        """Callers that share a process."""
        return 1 if self.scenario.processes else self.scenario.callers

    def _all(self, do: str, **fields: Any) -> list[dict[str, Any]]:
        """The answers of all processes to a command that they get at once."""
        for worker in self.workers:
            worker.send(do, **fields)
        return [worker.answer() for worker in self.workers]

    def peak_memory_mb(self) -> float:
        """Of all processes together."""
        peak = 0.0
        for worker in self.workers:
            with worker.resumed():
                peak += worker.ask("memory")["peak_memory_mb"]
        return peak

    def kill(self) -> None:
        """End the processes."""
        for worker in self.workers:
            worker.kill()
