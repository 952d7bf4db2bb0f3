"""What a sweep's analysis says of size and of combinations."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import job, sweep
from rows import row as fabricated

from breakeven.engine.statistics import Interval
from breakeven.results.interaction import interactions
from breakeven.results.result_row import ResultRow
from breakeven.results.size_trend import GROWS, PARAMETERS, SHRINKS, UNDECIDED, spearman, trend

BASE = fabricated("none/fp32/onnxruntime", speedup=None, macs=10**6)


def row(macs: int, speedup: float, width: float = 1.02, **changes: object) -> ResultRow:
    bounds = {"speedup_ci_low": speedup / width, "speedup_ci_high": speedup * width}
    verdict = "faster" if speedup > width else "slower" if speedup * width < 1 else "undecided"
    return replace(BASE, macs=macs, speedup=speedup, verdict=verdict, **bounds, **changes)


def line(slope: float, crossing: float, sizes: range = range(5, 11)) -> list[ResultRow]:
    """Speedups that grow by `slope` for ten times the work, and are 1 at `crossing` multiply-accumulates."""
    return [row(10**size, slope ** (size - math.log10(crossing))) for size in sizes]


def test_a_gain_that_grows_pays_from_its_crossing_on() -> None:
    found = trend(line(1.5, 10**7), 0.95)
    assert found and found.crossing
    assert found.slope == pytest.approx(1.5) and found.verdict == GROWS
    assert found.crossing.value == pytest.approx(10**7, rel=1e-6)
    assert found.pays.startswith("above 10 million MACs")


def test_a_gain_that_shrinks_pays_up_to_its_crossing() -> None:
    found = trend(line(1 / 1.5, 10**7), 0.95)
    assert found and found.verdict == SHRINKS and found.pays.startswith("below 10 million MACs")
    assert "though" not in found.pays
    mild = trend([row(10**size, 1.05 - 0.02 * size, width=1.2) for size in range(6)], 0.95)
    assert mild and mild.crossing and mild.pays.endswith(", and surely slower on none")


@pytest.mark.parametrize(("slope", "crossing", "pays"), [(1.5, 10**3, "at every"), (1.5, 10**12, "at no")])
def test_a_crossing_outside_of_what_was_measured_is_none(slope: float, crossing: float, pays: str) -> None:
    found = trend(line(slope, crossing), 0.95)
    assert found and found.crossing is None and found.pays == f"{pays} size measured"


def test_no_model_that_contradicts_the_fit_is_left_out() -> None:
    gains = [0.95, 1.6, 1.5, 1.6, 1.5, 1.6]
    found = trend([row(10**size, gain) for size, gain in enumerate(gains, 5)], 0.95)
    assert found and found.crossing is None and found.pays == "at every size measured, though slower on 1"


def test_a_crossing_that_may_lie_beyond_what_was_measured_says_so() -> None:
    gains = [1.02, 0.97, 1.05, 0.96, 1.04, 1.1]
    found = trend([row(10**size, gain) for size, gain in enumerate(gains, 5)], 0.95)
    assert found and found.crossing and " or less to " in found.pays and " or more)" in found.pays


def test_resampled_models_that_all_gain_are_no_evidence_for_a_crossing_beyond_them() -> None:
    gains = [0.97, 1.25, 1.3, 1.1, 1.3, 1.1, 1.2]
    found = trend([row(10**size, gain) for size, gain in enumerate(gains, 4)], 0.95)
    assert found and found.pays == "at every size measured, though slower on 1"
    found = trend([row(10**size, gain) for size, gain in enumerate([0.6, *gains[1:]], 4)], 0.95)
    assert found and found.crossing and found.slope > 1
    # With the one small model left out the line falls, and is above 1 everywhere.
    assert found.crossing.low == pytest.approx(10**4) and found.crossing.high < 10**8


def test_a_trend_over_parameters_is_that_over_work_of_the_same_sizes() -> None:
    rows = [replace(each, params=each.macs) for each in line(1.5, 10**7)]
    work, parameters = trend(rows, 0.95), trend(rows, 0.95, PARAMETERS)
    assert work and parameters and "million parameters" in parameters.pays
    assert (parameters.correlation, parameters.crossing) == (work.correlation, work.crossing)


def test_a_gain_without_order_is_undecided() -> None:
    found = trend([row(10**size, gain) for size, gain in enumerate([1.2, 1.1, 1.3, 1.15, 1.25], 5)], 0.95)
    assert found and found.verdict == UNDECIDED


def test_a_model_that_two_jobs_measured_counts_once() -> None:
    rows = line(1.5, 10**7)
    once, twice = trend(rows, 0.95), trend([*rows, *(replace(each, family="again") for each in rows)], 0.95)
    assert once and twice and twice.models == once.models == len(rows)
    assert (twice.correlation, twice.faster) == (once.correlation, once.faster)
    assert twice.crossing and once.crossing and twice.crossing.low == pytest.approx(once.crossing.low)


def test_three_models_are_no_trend() -> None:
    assert trend(line(1.5, 10**7)[:3], 0.95) is None
    assert trend([row(10**6, 1.1)] * 6, 0.95) is None


@given(
    st.lists(st.floats(-5, 5, allow_subnormal=False), min_size=4, max_size=30, unique=True),
    st.floats(0.6, 0.99),
)
def test_a_correlation_lies_in_its_interval_and_turns_with_its_sign(
    values: list[float], level: float
) -> None:
    x, y = np.arange(len(values), dtype=float), np.array(values)
    found, turned = spearman(x, y, level), spearman(x, -y, level)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert (turned.low, turned.value, turned.high) == pytest.approx((-found.high, -found.value, -found.low))


def test_the_interval_of_a_correlation_holds_the_truth() -> None:
    generator = np.random.default_rng(0)
    truth, inside = 6 / math.pi * math.asin(0.6 / 2), 0  # of two normal variables that correlate by 0.6
    for _ in range(400):
        x = generator.normal(size=19)
        y = 0.6 * x + 0.8 * generator.normal(size=19)
        found = spearman(x, y, 0.95)
        inside += found.low <= truth <= found.high
    assert 0.9 <= inside / 400 <= 0.99


def test_a_constant_correlates_with_nothing() -> None:
    assert spearman(np.arange(5.0), np.ones(5), 0.95) == Interval(0.0, -1.0, 1.0)


def combination(both: float) -> list[ResultRow]:
    return [
        row(10, 2.0, variant="prune50/fp32/eager", compression="prune50"),
        row(10, 3.0, variant="none/int8-static/onnxruntime"),
        row(10, both, variant="prune50/int8-static/onnxruntime", compression="prune50"),
    ]


@pytest.mark.parametrize(
    ("both", "verdict"),
    [(6.0, "the product"), (9.0, "more than the product"), (4.0, "less than the product")],
)
def test_a_combination_is_held_against_the_product_of_its_parts(both: float, verdict: str) -> None:
    (found,) = interactions(combination(both))
    assert found.product == pytest.approx(6) and found.ratio.value == pytest.approx(both / 6)
    assert found.verdict.startswith(verdict)
    # three intervals of 2% each, together
    assert found.ratio.high / found.ratio.value == pytest.approx(1.02 ** math.sqrt(3), rel=1e-6)


def test_a_combination_without_its_parts_says_nothing() -> None:
    assert interactions(combination(6.0)[1:]) == []
    assert interactions(combination(6.0)[:2]) == []


def test_a_sweep_over_batches_draws_each_model_that_has_several() -> None:
    both = [
        replace(each, batch_size=size, scenario=name, throughput_per_s=500.0 * size)
        for size, name in ((1, "single_stream"), (8, "batch"))
        for each in job(6)
    ]
    drawn = {chart.name: chart for chart in sweep([both, job(7)]).charts if chart.name.startswith("batch")}
    assert list(drawn) == ["batch-net6-cpu1"]
    assert {point["batch"] for point in drawn["batch-net6-cpu1"].data} == {1, 8}
    assert "net6 on cpu1" in drawn["batch-net6-cpu1"].title
