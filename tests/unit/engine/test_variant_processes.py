"""A variant's processes: how long they settle, what a block is, and that several begin together."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from breakeven.engine.settings import SINGLE_STREAM, Budget, Scenario
from breakeven.engine.variant_processes import VariantProcesses

BUDGET = Budget(block_ms=30, settle_ms=80)
COLD = {"load_s": 0.1, "first_call_ms": 1.0, "affinity": {}, "warm": False}
REST = {"cpu_ms": 1.0, "switches": 0, "steal_ms": 0.0, "mhz": None, "device_ms": None}


class FakeWorker:
    """Answers as a model would whose calls take `call_ms`, and keeps what it was asked."""

    def __init__(self, call_ms: float, began_ms: float = 0.0) -> None:
        self.call_ms, self.began_ms, self.asked = call_ms, began_ms, []

    def send(self, do: str, **fields: object) -> None:
        self.asked.append((do, fields))

    def ask(self, do: str, **fields: object) -> dict:
        self.send(do, **fields)
        return self.answer()

    def answer(self) -> dict:
        if not self.asked:
            return {}
        do, fields = self.asked[-1]
        if do == "block":
            calls = [self.call_ms] * fields["calls"]
            return {"calls_ms": calls, "wall_ms": sum(calls), "began_ms": self.began_ms, **REST}
        return {"load": COLD, "warm_up": {"calls_ms": [self.call_ms] * 8}}.get(do, {})

    def suspend(self) -> None:
        pass

    @contextmanager
    def resumed(self):
        yield


def loaded(
    *workers: FakeWorker, scenario: Scenario = SINGLE_STREAM, budget: Budget = BUDGET
) -> VariantProcesses:
    processes = VariantProcesses(list(workers), scenario)  # type: ignore[arg-type]
    processes.load(0, Path("images.npy"), False, budget)
    return processes


@pytest.mark.parametrize(
    ("call_ms", "calls", "settle"),
    [
        (0.1, 300, 300),  # a small model: as long as a block
        (3.0, 10, 20),  # 20 calls
        (10.0, 3, 8),  # no longer than 80 ms
        (500.0, 1, 1),  # at least one call
    ],
)
def test_a_block_and_the_settling_before_it_follow_from_the_time_of_a_call(
    call_ms: float, calls: int, settle: int
) -> None:
    worker = FakeWorker(call_ms)
    block = loaded(worker).block(0)
    assert len(block.calls_ms) == calls  # and none of those that settle
    assert worker.asked[-1] == ("block", {"calls": calls, "settle": settle, "callers": 1})


def test_without_settling_there_is_none() -> None:
    worker = FakeWorker(1.0)
    loaded(worker, budget=Budget(settle_ms=0)).block(0)
    assert worker.asked[-1][1]["settle"] == 0


def test_processes_settle_all_before_any_is_timed_and_count_from_first_to_last() -> None:
    early, late = FakeWorker(1.0, began_ms=1000), FakeWorker(1.0, began_ms=1020)
    processes = loaded(early, late, scenario=Scenario(callers=2, processes=True))
    block = processes.block(0)
    for worker in (early, late):
        assert dict(worker.asked)["load"]["callers"] == 1  # each has one of its own
        assert [do for do, _ in worker.asked[-2:]] == ["settle", "block"]
        assert worker.asked[-1][1]["settle"] == 0
    assert len(block.calls_ms) == 2 * processes.calls
    assert block.wall_ms == pytest.approx(processes.calls + 20)
