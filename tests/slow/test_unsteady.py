"""A callable that is slow now and then is told from a machine that is. Real processes."""

from collections.abc import Callable

import pytest

from breakeven import Budget, measure
from breakeven.engine.disturbance import slow_share

pytestmark = pytest.mark.slow
BUDGET = Budget(seconds=0, seconds_per_variant=0, min_replicates=5, max_replicates=5, rounds=30, block_ms=10)
MUCH = 0.1  # of a steady callable's calls: with more, nobody can tell whose the slow ones are


def spinning(now_and_then: bool) -> Callable[[], Callable[[], None]]:
    """Return a factory of calls of about half a millisecond; some take ten times as long for 150 ms."""

    def factory() -> Callable[[], None]:
        import time
        from itertools import repeat

        def call() -> None:
            slow = now_and_then and int(time.monotonic() / 0.15) % 4 == 0
            for _ in repeat(None, 200_000 if slow else 20_000):
                pass

        return call

    return factory


def test_only_the_callable_that_is_slow_by_itself_is_unsteady() -> None:
    variants = {"steady": spinning(False), "now and then": spinning(True), "also steady": spinning(False)}
    measured = measure(variants, budget=BUDGET)
    said = {warning.name: warning.text for warning in measured.warnings}.get("slow calls", "")
    machine = max(slow_share(measured[name].replicates) for name in ("steady", "also steady"))
    if not said and machine > MUCH:
        pytest.skip(f"this machine slows {machine:.0%} of a steady callable's calls")
    assert "not: now and then " in said and "," not in said


def test_callables_that_are_alike_are_not() -> None:
    variants = {name: spinning(False) for name in ("a", "b", "c")}
    assert "slow calls" not in {warning.name for warning in measure(variants, budget=BUDGET).warnings}
