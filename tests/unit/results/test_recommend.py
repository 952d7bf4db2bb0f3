"""What is recommended holds every limit, for sure, and is the fastest of what does."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import BASELINE, TWIN, benchmark, levels, row

from breakeven.cli.commands import recommend as command
from breakeven.core.errors import UserError
from breakeven.results import summary
from breakeven.results.limits import Limits
from breakeven.results.recommend import Choice, choose, gain, smallest_drop
from breakeven.results.result_row import ResultRow
from breakeven.tracking import model_registry

NONE = Limits()
FAST = row("none/int8-static/openvino", speedup=8.0, score_delta=-0.002, score_delta_ci_low=-0.006)
SAFE = row("none/fp32/onnxruntime", speedup=3.0)


def choice(rows: Sequence[ResultRow], limits: Limits = NONE, noise: float = 0.01) -> Choice:
    return choose(rows, limits, levels(rows, noise))


def test_the_fastest_within_the_limits_is_chosen() -> None:
    rows = [BASELINE, TWIN, SAFE, FAST]
    assert choice(rows).best == FAST
    assert "surely the fastest that keeps the limits, 2.6" in choice(rows).reason
    chosen = choice(rows, Limits(max_accuracy_drop=0.5))
    assert chosen.best == SAFE and chosen.fastest == FAST and chosen.runner_up == BASELINE
    assert (
        "none/int8-static/openvino would give 8.00x, but the drop in accuracy may be 0.6 points"
        in chosen.reason
    )
    assert choice(rows, Limits(max_accuracy_drop=0.5, by_estimate=True)).best == FAST


def test_the_baseline_stays_where_nothing_is_surely_faster() -> None:
    unsure = row("none/fp32/openvino", "undecided", speedup=1.2, speedup_ci_low=0.8, speedup_ci_high=1.8)
    chosen = choice([BASELINE, unsure], noise=0.3)
    assert chosen.best == BASELINE and "surely faster" in chosen.reason
    assert chosen.unsettled == (unsure.variant,)  # it may be faster
    assert choice([BASELINE, unsure], Limits(by_estimate=True), noise=0.3).best == unsure


def test_what_may_be_as_fast_and_is_close_is_a_tie_and_what_looks_slower_is_unsettled() -> None:
    close, slower = row("none/fp32/close", speedup=7.9), row("none/fp32/slower", speedup=7.0)
    rough = choice([BASELINE, FAST, close, slower, SAFE], noise=0.4)
    assert (rough.best, rough.ties, rough.unsettled) == (FAST, (close.variant,), (slower.variant,))
    assert "by the estimates" in rough.reason
    fine = choice([BASELINE, FAST, close, slower, SAFE], noise=0.001)
    assert (fine.best, fine.ties, fine.unsettled) == (FAST, (), ())


@pytest.mark.parametrize("truths", [[8.0, 8.0, 8.1, 3.0], [2.0, 2.02, 1.9, 1.0], [1.5, 1.0, 1.0, 1.0]])
def test_two_runs_of_one_study_have_recommendations_in_common(truths: list[float]) -> None:
    """The truly fastest variant is named by each run, first or as a tie or as unsettled."""
    named = 0
    for seed in range(100):
        draw = np.random.default_rng(seed)
        own = {f"none/fp32/r{n}": -np.log(truth) + draw.normal(0, 0.02, 6) for n, truth in enumerate(truths)}
        rows = [row(name, speedup=float(np.exp(-each.mean()))) for name, each in own.items()]
        chosen = choose([BASELINE, *rows], NONE, {BASELINE.variant: draw.normal(0, 0.02, 6), **own})
        assert chosen.best
        best = f"none/fp32/r{np.argmax(truths)}"
        named += best in (chosen.best.variant, *chosen.ties, *chosen.unsettled)
    assert named >= 90


def test_an_exact_export_keeps_the_accuracy_however_few_images_there_are() -> None:
    """360 images without a disagreement would only bound the drop at about a point."""
    few = {"score_delta_ci_low": -0.0106}
    exact = row("none/fp32/onnxruntime", speedup=3.0, agreement=1.0, **few)
    limits = Limits(max_accuracy_drop=0.5)
    assert choice([BASELINE, exact], limits).best == exact
    for other in (
        row("none/fp32/onnxruntime", speedup=3.0, agreement=0.997, **few),
        row("none/int8-static/onnxruntime", speedup=3.0, agreement=1.0, **few),
        row("prune50/fp32/onnxruntime", speedup=3.0, agreement=1.0, **few),
    ):
        assert choice([BASELINE, other], limits).best == BASELINE


def test_records_without_levels_recommend_nothing() -> None:
    chosen = choose([BASELINE, FAST], NONE, {})
    assert chosen.best is None and "do not say how the variants compare" in chosen.reason


def test_what_cannot_be_met_says_what_would_have_to_be_relaxed() -> None:
    small = replace(FAST, artifact_mb=1.0, latency_ms_p50_ci_high=0.3)
    chosen = choice([BASELINE, SAFE, small], Limits(max_accuracy_drop=0.1, max_size_mb=2.0))
    assert chosen.best is None
    assert chosen.relaxed == (
        "--max-accuracy-drop 0.6 would let in none/int8-static/openvino",
        "--max-size-mb 4 would let in none/fp32/onnxruntime",
    )


def test_a_raised_limit_is_told_with_the_best_that_it_lets_in() -> None:
    smallest, best = replace(SAFE, artifact_mb=3.991), replace(FAST, artifact_mb=3.999)
    chosen = choice([BASELINE, smallest, best], Limits(max_size_mb=2.0))
    assert chosen.relaxed == ("--max-size-mb 4 would let in none/int8-static/openvino",)


def test_what_cannot_be_registered_costs_that_champion_alone(monkeypatch, capsys) -> None:
    def register(uri: str, chosen: ResultRow) -> model_registry.Champion:
        print("noise of a library", file=sys.stderr)
        if chosen.family == "cnn":
            raise UserError("it is executed by a program in C++.")
        return model_registry.Champion(f"models:/{chosen.family}@champion", "a model", "3", "old")

    monkeypatch.setattr(model_registry, "_candidate", lambda study, found, chosen, key, why: chosen)
    for name, fake in (
        ("tracking.model_registry.register", register),
        ("tracking.study_runs.sync", lambda *given: ""),
        ("tracking.study_runs.key_of", lambda *given: ""),
        ("tracking.model_registry.required", nullcontext),
        ("tracking.model_registry.served", lambda: nullcontext("")),
    ):
        monkeypatch.setattr(f"breakeven.{name}", fake)
    chosen = [(replace(FAST, family=family), {}) for family in ("cnn", "net")]
    with pytest.raises(UserError, match="Not registered: cnn: it is executed by a program"):
        command._register(None, None, chosen)  # type: ignore[arg-type]
    said = capsys.readouterr()
    assert "The champion of a model is now version 3 instead of old: " in said.out
    assert "models:/net@champion" in said.out and len(said.out.splitlines()) == 1
    assert "registering: net" in said.err and "noise" not in said.err


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "nothing was measured"),
        ([replace(BASELINE, trained=False), replace(SAFE, trained=False)], "weights are random"),
        ([BASELINE, replace(SAFE, verdict="undecided", unreliable=True)], "unreliable"),
    ],
)
def test_what_says_nothing_recommends_nothing(rows: list, said: str) -> None:
    chosen = choice(rows)
    assert chosen.best is None and said in chosen.reason


CHANGES = st.fixed_dictionaries(
    {
        "speedup": st.floats(0.1, 30),
        "score_delta_ci_low": st.floats(-0.05, 0.01),
        "latency_ms_p50_ci_high": st.floats(0.01, 10),
        "artifact_mb": st.floats(0.01, 20),
    }
)
BOUND = st.none() | st.floats(0.01, 10)


@given(st.lists(CHANGES, max_size=8), BOUND, BOUND, BOUND, st.booleans())
def test_no_other_variant_that_keeps_the_limits_is_faster(changes, drop, latency, size, estimate) -> None:
    limits = Limits(drop, latency, size, estimate)
    rows = [BASELINE, *(row(f"none/fp32/r{n}", **change) for n, change in enumerate(changes))]
    chosen = choice(rows, limits)
    able = [each for each in rows if not limits.broken(each)]
    assert (chosen.best in able) if able else chosen.best is None
    if chosen.best:
        assert all(gain(each) <= gain(chosen.best) for each in able)
        assert {*chosen.ties, *chosen.unsettled} <= {each.variant for each in able} - {chosen.best.variant}
    # Each relaxation that is named lets something in, and where nothing fits there is one.
    for hint in chosen.relaxed:
        words = hint.partition(" would")[0].split()
        raised = {
            option.removeprefix("--").replace("-", "_"): float(value)
            for option, value in zip(words[::2], words[1::2], strict=True)
        }
        assert choice(rows, replace(limits, **raised)).best is not None
    assert chosen.relaxed or chosen.best


def test_the_table_marks_one_row_a_cell() -> None:
    rows = [BASELINE, TWIN, SAFE, FAST, row("none/fp32/x", "unsupported", latency_ms_p50=None)]
    marked = summary.rows([benchmark(rows)], Limits(max_accuracy_drop=0.5))
    assert {each.variant: each.recommended for each in marked} == {
        "none/fp32/eager": False,
        "twin": None,
        "none/fp32/onnxruntime": True,
        "none/int8-static/openvino": False,
        "none/fp32/x": None,
    }
    beyond = {each.variant: each.beyond_limits for each in marked if each.beyond_limits}
    assert beyond == {FAST.variant: "the drop in accuracy may be 0.6 points (the limit is 0.5)"}


def test_few_images_cannot_rule_out_small_drops() -> None:
    assert smallest_drop(360, 0.95) == pytest.approx(1.06, abs=0.01)
    assert smallest_drop(10_000, 0.95) < 0.05


ERROR = {"metric": "absolute_error", "metric_unit": "", "metric_better": "lower", "score": 40.0}


@pytest.mark.parametrize(
    ("better", "low", "high", "kept"),
    [
        ("lower", -5.0, 0.9, True),
        ("lower", -5.0, 1.1, False),
        ("higher", -0.9, 5.0, True),
        ("higher", -1.1, 5.0, False),
    ],
)
def test_a_score_that_is_no_percentage_is_held_at_its_bad_end(
    better: str, low: float, high: float, kept: bool
) -> None:
    bounds = {"score_delta": 0.0, "score_delta_ci_low": low, "score_delta_ci_high": high}
    own = {**ERROR, "metric_better": better, "agreement": None}
    rows = [
        row("none/fp32/eager", "baseline", **own),
        row("none/int8-static/openvino", speedup=8.0, **{**own, **bounds}),
    ]
    limits = Limits(max_accuracy_drop=0.001, max_score_loss=1.0)
    assert (choice(rows, limits).best == rows[1]) is kept
    assert choice(rows, Limits(max_accuracy_drop=0.001)).best == rows[1]  # which concerns percentages only


def test_a_limit_on_scores_that_no_row_has_is_not_said() -> None:
    limits = Limits(max_accuracy_drop=1.0, max_score_loss=2.0)
    error = row("none/fp32/eager", "baseline", **ERROR)
    assert limits.sentence([BASELINE]) == "surely loses at most 1 points of accuracy"
    assert limits.sentence([error]) == "surely keeps its absolute error within 2 of the baseline's"
    both = "surely loses at most 1 points of accuracy and keeps its absolute error within 2 of the baseline's"
    assert limits.sentence([BASELINE, error]) == both
    assert limits.sentence([]) == ""
    assert Limits().sentence([BASELINE]) == ""


@pytest.mark.parametrize(("better", "front"), [("lower", "small"), ("higher", "large")])
def test_the_front_knows_which_scores_are_better(better: str, front: str) -> None:
    own = {**ERROR, "metric_better": better}
    base = row("none/fp32/eager", "baseline", **{**own, "score": 41.0})
    small = row("none/fp32/openvino", speedup=2.0, latency_ms_p50=1.0, **{**own, "score": 40.0})
    large = row("none/fp32/onnxruntime", speedup=2.0, latency_ms_p50=1.0, **{**own, "score": 42.0})
    marked = summary.rows([benchmark([base, small, large])], Limits())
    on = {each.variant for each in marked if each.pareto and each.verdict != "baseline"}
    assert on == {{"small": small, "large": large}[front].variant}
