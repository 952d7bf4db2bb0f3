"""An operator that was slowed on purpose is found, with the time that it was slowed by."""

from pathlib import Path

import pytest
from profiled import measured

from breakeven.results import waterfall

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
NO_FACTS = {"_inputs_": {}}  # of the dataset, that the model is made from
RUNS = 10
SHARE = 0.2  # of the call
LEAST = 0.9  # of the added time that the operator is given


def test_the_slowed_operator_is_named_with_the_time_that_it_adds(tmp_path: Path) -> None:
    target = "slowed.Slowed"
    us = SHARE * measured(tmp_path / "first", target, 1.0, **NO_FACTS, us=0.0).us
    for run in range(RUNS):
        before = measured(tmp_path / f"{run}-before", target, 1.0, **NO_FACTS, us=0.0)
        after = measured(tmp_path / f"{run}-after", target, 1.0, **NO_FACTS, us=us)
        times = [{part.operator: part.us for part in each.operators} for each in (before, after)]
        added = {name: spent - times[0].get(name, 0.0) for name, spent in times[1].items()}
        culprit = max(added, key=lambda name: added[name])
        print(f"run {run}: {added[culprit] / us:.1%} of {us:.1f} µs to {culprit}")
        assert culprit == "breakeven_test::slow_relu", f"run {run}: {added}"
        assert added[culprit] >= LEAST * us, f"run {run}: {added[culprit]:.1f} of {us:.1f} µs"
        top = waterfall.steps(before, after)[0]
        assert culprit in top.why, f"run {run}: {top}"
