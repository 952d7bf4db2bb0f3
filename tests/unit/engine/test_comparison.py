"""Intervals hold the truth as often as they promise, and a run that cannot be trusted says nothing."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import simulation
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import Machine

from breakeven.engine.comparison import compare_to_baseline, speedups_over
from breakeven.engine.levels import log_levels
from breakeven.engine.samples import Samples
from breakeven.engine.settings import Budget

BASE, TWIN = "base", "twin"
TRUTH = 1.03  # of the variant that stands beside the twin
BUDGET = Budget()
RUNS = pytest.mark.parametrize("runs", [100, pytest.param(400, marks=pytest.mark.slow)])
SEEDS = st.integers(0, 2**32 - 1)


def draw(seed=0):
    return np.random.default_rng(seed)


def run(seed=0, speedups=(1.0, TRUTH), replicates=5, rounds=5):
    """One run's samples, of a baseline, its twin, and a, b, c, ..."""
    times = Machine().times(draw(seed), 1, speedups, replicates, rounds)[0]
    return simulation.run(times, [BASE, TWIN, *"abcdefghijklmnop"[: len(speedups) - 1]])


def speedups(measured):
    """The speedup of each variant over the baseline."""
    return {name: each.speedup for name, each in compare_to_baseline(measured, 0.95, 0.01).of.items()}


MACHINES = [Machine(), Machine(bias=0.002), Machine(bias=0.03, noise=0.03, bursts=0.2)]


@RUNS
@pytest.mark.parametrize("machine", MACHINES, ids=["usual", "quiet", "noisy"])
@pytest.mark.parametrize("replicates", [5, 10, 20])
def test_the_interval_holds_the_true_speedup_in_95_of_100_runs(replicates, machine, runs):
    """Also where bursts hit one of five blocks."""
    held, bias = [], []
    for seed in range(runs):
        times = machine.times(draw(seed), 1, [1.0, TRUTH], replicates, 7)[0]
        gain = speedups(simulation.run(times, [BASE, TWIN, "a"]))["a"]
        held.append(gain.low <= TRUTH <= gain.high)
        bias.append(math.log(gain.value / TRUTH))
    assert 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs) < np.mean(held)
    assert abs(np.mean(bias)) < 0.005 + 3 * np.std(bias) / np.sqrt(len(bias))


@RUNS
@pytest.mark.parametrize("replicates", [5, 10])
def test_all_intervals_of_a_run_hold_the_truth_at_once_in_95_of_100_runs(replicates, runs):
    truths = dict(zip("abcdefgh", [1.0, 1.01, 1.03, 0.5, 2.0, 8.0, 1.0, 0.99], strict=True))
    held = []
    for seed in range(runs):
        gains = speedups(run(seed, [1.0, *truths.values()], replicates))
        held.append(all(gains[name].low <= truth <= gains[name].high for name, truth in truths.items()))
    assert 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs) < np.mean(held)


@pytest.mark.parametrize("runs", [40, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("bias", [0.004, 0.012])  # stops after 5 to 20 replicates
def test_the_interval_holds_the_true_speedup_also_where_its_width_decided_when_to_stop(bias, runs):
    """To look after each replicate and to stop when the interval is narrow favours runs that look quiet."""
    held = []
    for seed in range(runs):
        times = Machine(bias=bias).times(draw(seed), 1, [1.0, TRUTH], 20, 7)[0]
        for count in range(BUDGET.min_replicates, 21):
            found = compare_to_baseline(simulation.run(times[:count], [BASE, TWIN, "a"]), 0.95, 0.01)
            if found.half_width <= BUDGET.half_width:
                break
        gain = found.of["a"].speedup
        held.append(gain.low <= TRUTH <= gain.high)
    assert 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs) < np.mean(held)


def test_many_variants_have_narrower_intervals_than_each_would_have_alone():
    """Each borrows its variance from the others."""
    widths = []
    for seed in range(40):
        measured = run(seed, [1.0, *[TRUTH] * 12])
        together = compare_to_baseline(measured, 0.95, 0.01).half_width
        alone = max(
            compare_to_baseline({k: measured[k] for k in (BASE, TWIN, name)}, 1 - 0.05 / 12, 0.01).half_width
            for name in "abcdefghijkl"
        )
        widths.append(together / alone)
    assert np.median(widths) < 0.7


def test_copies_of_the_baseline_are_hardly_ever_faster_or_slower():
    runs = [
        compare_to_baseline(run(seed, [1.0, 1.0], rounds=3), 0.95, 0.01).of["a"].verdict
        for seed in range(1000)
    ]
    wrong = np.mean([verdict in ("faster", "slower") for verdict in runs])
    assert wrong < 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(runs))


@pytest.mark.slow
def test_among_ten_copies_none_is_faster_or_slower_in_95_of_100_runs():
    """They share the baseline's luck, and there are ten chances to be wrong."""
    wrong, uncorrected = [], []
    for seed in range(200):
        measured = run(seed, [1.0] * 11)
        found = compare_to_baseline(measured, 0.95, 0.01)
        wrong.append(any(each.verdict in ("faster", "slower") for each in found.of.values()))
        levels = log_levels({name: own.replicates for name, own in measured.items()})
        uncorrected.append(any(each.p_value < 0.05 for each in speedups_over(BASE, levels, 0.95).values()))
    assert np.mean(wrong) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200) < np.mean(uncorrected)


def test_a_difference_of_three_times_the_noise_is_found():
    found = [
        compare_to_baseline(run(seed, [1.0, 1.05], replicates=15, rounds=9), 0.95, 0.01)
        for seed in range(150)
    ]
    verdicts = [each.of["a"].verdict for each in found if not each.fault]
    assert len(verdicts) > 120
    assert np.mean([verdict == "faster" for verdict in verdicts]) > 0.99


@given(SEEDS, st.lists(st.floats(-3, 3), min_size=4, max_size=4))
@settings(max_examples=30)
def test_what_slows_all_variants_of_a_round_alike_changes_no_speedup(seed, drift):
    times = Machine(drift=0).times(draw(seed), 1, [1.0, TRUTH], 3, 4)[0]
    still, drifting = (
        compare_to_baseline(simulation.run(t, [BASE, TWIN, "a"]), 0.95, 0.01)
        for t in (times, times * np.exp(drift))
    )
    for name in (TWIN, "a"):
        one, two = still.of[name].speedup, drifting.of[name].speedup
        assert (two.value, two.low, two.high) == pytest.approx((one.value, one.low, one.high))


@given(st.sets(st.integers(0, 14), max_size=7), st.floats(1, 100))
def test_a_burst_in_fewer_than_half_of_the_blocks_changes_no_speedup(hit, factor):
    times = np.ones((1, 3, 15))
    times[0, 2] = 0.5
    times[0, 2, list(hit)] *= factor
    measured = simulation.run(times, [BASE, TWIN, "a"])
    levels = log_levels({name: own.replicates for name, own in measured.items()})
    assert levels[BASE] - levels["a"] == pytest.approx([np.log(2)])


def test_blocks_are_paired_by_the_number_of_their_round():
    """Of two groups that do not fit into memory at once, one has later rounds, of a machine that drifted."""
    speed = np.exp(draw(1).normal(0, 1, 6))  # of the machine, in each round
    base = simulation.samples(np.array([speed, speed]))

    def group(rounds, factor):
        blocks = [simulation.block(at, factor * speed[at]) for at in rounds]
        return Samples([simulation.replicate(number, blocks) for number in range(2)])

    early, late, mixed = group([0, 1, 2], 0.5), group([3, 4, 5], 2.0), group([5, 0, 3], 0.25)
    for measured, log_ratio in ((early, np.log(2)), (late, -np.log(2)), (mixed, np.log(4))):
        levels = log_levels({BASE: base.replicates, "a": measured.replicates})
        assert levels[BASE] - levels["a"] == pytest.approx([log_ratio] * 2)


def test_a_run_whose_twin_differs_from_the_baseline_gives_no_verdict():
    times = Machine(bias=0.001).times(draw(), 1, [0.9, 2.0, 0.5, 1.0], 5)[0]
    found = compare_to_baseline(simulation.run(times, [BASE, TWIN, *"abc"]), 0.95, 0.01)
    assert found.fault == "the twin differs from the baseline"
    assert [found.of[name].verdict for name in (BASE, TWIN)] == ["baseline", "twin"]
    assert {found.of[name].verdict for name in "abc"} == {"undecided"}
    assert all(found.fault in found.of[name].reason for name in (TWIN, *"abc"))
    assert found.of["a"].speedup.value == pytest.approx(2, rel=0.05)  # told, though not judged
    assert found.noise_floor > 1.05


def test_a_trusted_run_has_no_fault_and_no_reasons():
    found = compare_to_baseline(run(speedups=(1.0, 2.0)), 0.95, 0.01)
    assert (found.fault, {each.reason for each in found.of.values()}) == ("", {""})
    assert [each.verdict for each in found.of.values()][:2] == ["baseline", "twin"]
    assert found.of[BASE].speedup is None


def test_a_difference_that_the_twin_may_have_too_is_no_verdict():
    judged = [compare_to_baseline(run(seed, (1.0, 1.015), 20), 0.95, 0.01) for seed in range(60)]
    kinds = set()
    for found in (each for each in judged if not each.fault):
        own, floor = found.of["a"], found.noise_floor
        beyond = max(own.speedup.value, 1 / own.speedup.value) > floor
        sure = own.speedup.low > 1 or own.speedup.high < 1
        kinds.add((beyond, sure))
        assert (own.verdict in ("faster", "slower")) == (beyond and sure)
        assert ("may differ as much" in own.reason) == (sure and not beyond)
    assert (True, True) in kinds and (False, True) in kinds  # both sides of the rule occur


@pytest.mark.parametrize("status", ["failed", "unsupported"])
@pytest.mark.parametrize("done", [0, 1, 3])
def test_a_twin_that_was_not_measured_leaves_every_variant_undecided(status, done):
    measured = run(speedups=[1.0, 2.0])
    measured[TWIN] = Samples(measured[TWIN].replicates[:done], status, "killed by SIGKILL")
    found = compare_to_baseline(measured, 0.95, 0.01)
    assert (found.of[TWIN].verdict, found.of[TWIN].reason) == (status, "killed by SIGKILL")
    assert found.of["a"].verdict == "undecided"
    assert found.of["a"].reason == "unreliable run: the twin was not measured"
    assert found.of["a"].unreliable and not found.of[TWIN].unreliable
    assert found.noise_floor is None


def test_a_twin_that_dies_in_the_first_replicate_leaves_no_figure_that_is_not_a_number():
    measured = {name: Samples(own.replicates[:1]) for name, own in run(speedups=[1.0, 2.0]).items()}
    measured[TWIN] = Samples([], "failed", "killed by SIGKILL")
    found = compare_to_baseline(measured, 0.95, 0.01)
    assert (found.of["a"].verdict, found.of["a"].speedup) == ("undecided", None)
    for each in found.of.values():
        json.dumps([each.verdict, each.min_detectable_effect, each.latency_ms], allow_nan=False)


@pytest.mark.parametrize("status", ["failed", "unsupported"])
@pytest.mark.parametrize("done", [0, 1, 3])
def test_a_variant_that_was_not_measured_changes_nothing_for_the_others(status, done):
    measured = run(speedups=[1.0, 2.0, 0.5])
    lost = measured.pop("b")
    without = compare_to_baseline(measured, 0.95, 0.01)
    measured["b"] = Samples(lost.replicates[:done], status, "out of memory")
    found = compare_to_baseline(measured, 0.95, 0.01)
    assert (found.of["b"].verdict, found.of["b"].reason) == (status, "out of memory")
    assert (found.of["b"].speedup, found.of["b"].latency_ms) == (None, None)
    del found.of["b"]
    assert found == without


@pytest.mark.parametrize("done", [0, 1, 3])
def test_a_baseline_that_was_not_measured_leaves_nothing_to_judge(done):
    measured = {name: replace(own, replicates=own.replicates[: done + 1]) for name, own in run().items()}
    measured[BASE] = Samples(measured[BASE].replicates[:done], "failed", "killed by SIGSEGV")
    found = compare_to_baseline(measured, 0.95, 0.01)
    assert (found.of[BASE].verdict, found.of[BASE].reason) == ("failed", "killed by SIGSEGV")
    assert found.fault and "twin" not in found.fault  # that one was measured
    assert {found.of[name].verdict for name in (TWIN, "a")} <= {"twin", "undecided"}
    assert [each.speedup for each in found.of.values()] == [None] * 3


def test_the_half_width_is_that_of_the_widest_interval():
    found = compare_to_baseline(run(speedups=[1.0, 2.0, 0.5]), 0.95, 0.01)
    gains = [each.speedup for each in found.of.values() if each.speedup]
    assert len(gains) == 3
    assert found.half_width == pytest.approx(max(np.sqrt(gain.high / gain.low) for gain in gains) - 1)
    # Half as wide on the logarithm after many more replicates of the same machine.
    assert (
        compare_to_baseline(run(speedups=[1.0, 2.0, 0.5], replicates=40), 0.95, 0.01).half_width
        < found.half_width
    )
