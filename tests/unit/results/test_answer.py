"""The answer says what to deploy, what it costs, and how sure that is."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rows import BASELINE, TWIN, benchmark, row

from breakeven.engine.quality_checks import FEW_REPLICATES
from breakeven.results.answer import Answer, answers
from breakeven.results.limits import Limits
from breakeven.results.result_row import ResultRow

SAFE = row("none/fp32/onnxruntime", speedup=4.0, latency_ms_p50=0.5, agreement=1.0, breakeven_calls="6030")
FAST = row("none/int8-static/openvino", speedup=8.0, latency_ms_p50=0.25, score_delta_ci_low=-0.006)


def answer(rows: Sequence[ResultRow], limits: Limits | None = None, **record: Any) -> Answer:
    (found,) = answers([benchmark(rows, **record)], rows, limits or Limits())
    return found.answer


def test_it_says_what_to_deploy_how_much_faster_it_is_and_when_it_pays() -> None:
    said = answer([BASELINE, TWIN, SAFE])
    assert said.headline == "Deploy none/fp32/onnxruntime: 4.00x as fast as the baseline (3.80 to 4.20)"
    assert said.facts == {
        "latency": "from 2 to 0.5 ms a call (medians; the speedup is taken round by round)",
        "accuracy": "90.00%, unchanged: the same class for each of 10,000 test samples",
        "paid back": "after 6,030 calls: a call saves 1.5 ms on average, and build and start take 9.04 s",
    }


def test_it_says_what_is_gained_over_the_fastest_fp32_variant() -> None:
    said = answer([BASELINE, TWIN, SAFE, FAST]).facts["over fp32"]
    assert re.fullmatch(
        r"[12]\.\d\dx \(1\.\d\d to 2\.\d\d\) as fast as none/fp32/onnxruntime, the fastest way to run the "
        "model as it is",
        said,
    )


def test_the_next_best_is_behind_by_a_figure_only_if_it_is_surely_slower() -> None:
    second = row("none/fp32/openvino", speedup=3.2, latency_ms_p50=0.6, agreement=1.0)
    near = row("none/fp32/openvino", speedup=3.99, latency_ms_p50=0.5, agreement=1.0)
    reasons = [answer([BASELINE, TWIN, SAFE, each]).candidates[1].reason for each in (second, near)]
    value, low, high = map(float, re.findall(r"[\d.]+", reasons[0]))
    assert reasons[0] == (
        f"its calls surely take longer, by {value:g}% ({low:g} to {high:g}, from the same rounds)"
    )
    assert value == pytest.approx(25, abs=3) and 0 < low < value < high
    assert reasons[1] == "slower by the estimates, but it may be as fast"


@pytest.mark.parametrize(
    ("calls", "words"),
    [
        ("0", "at once: it costs no more than the baseline"),
        ("undecided", "undecided"),
        ("never", "never"),
        (None, None),
    ],
)
def test_a_payback_that_is_no_number_is_said_in_words(calls: str | None, words: str | None) -> None:
    said = answer([BASELINE, TWIN, replace(SAFE, breakeven_calls=calls)])
    assert said.facts.get("paid back") == words


def test_the_table_of_three_says_why_the_fastest_was_not_chosen() -> None:
    said = answer([BASELINE, TWIN, SAFE, FAST], Limits(max_accuracy_drop=0.5))
    assert [(each.role, each.row.variant) for each in said.candidates] == [
        ("chosen", SAFE.variant),
        ("next best", BASELINE.variant),
        ("fastest", FAST.variant),
    ]
    assert "the drop in accuracy may be 0.6 points (the limit is 0.5)" in said.candidates[2].reason


def test_it_looks_as_sure_as_it_is() -> None:
    rough = row("none/fp32/openvino", speedup=4.0, speedup_ci_low=2.5, speedup_ci_high=6.0)
    near = row("none/fp32/close", speedup=3.95)
    (scenario,) = benchmark([BASELINE, rough]).stopped
    names = ("busy", FEW_REPLICATES)
    warnings = [{"scenario": scenario, "name": name, "text": "t", "remedy": "r"} for name in names]
    said = answer([BASELINE, TWIN, rough, near], warnings=warnings)
    assert any("imprecise (±60%)" in doubt for doubt in said.doubts)
    assert "the run has warnings: busy" in said.doubts  # that it has few replicates makes it imprecise
    fine = replace(SAFE, speedup_ci_low=3.9, speedup_ci_high=4.1)
    assert not answer([BASELINE, TWIN, fine]).doubts
    # Its own interval is narrow, whatever those of other variants are.
    assert answer([BASELINE, TWIN, fine], warnings=warnings).doubts == ("the run has warnings: busy",)


def test_nothing_to_gain_keeps_the_baseline() -> None:
    slow = row("none/fp32/openvino", "slower", speedup=0.5)
    said = answer([BASELINE, TWIN, slow])
    assert said.headline.startswith("Keep the baseline, none/fp32/eager")
    assert said.facts["latency"] == "2 ms a call" and "paid back" not in said.facts


def test_an_unreliable_run_gives_no_recommendation() -> None:
    said = answer([BASELINE, row("none/fp32/onnxruntime", unreliable=True)])
    assert said.headline.startswith("No recommendation: the run is unreliable") and not said.candidates
