"""The figures of costs become tables, a picture, sentences, and metrics in MLflow."""

import math

import pytest
from capture_costs import COSTS

from breakeven.capture import findings
from breakeven.capture.costs import breaks, chart, guards, pieces, segments, tables, timing
from breakeven.engine.result import Result, TimedVariant
from breakeven.engine.samples import Block, Replicate
from breakeven.engine.statistics import Interval


def test_every_model_is_measured_in_every_kind() -> None:
    names = list(pieces.pieces())
    assert {f"{kind}-{name}" for kind in ("breaks", "tools", "guards") for name in segments.MODELS} <= {
        *names
    }
    assert [name for name in names if name.startswith("shapes")] == ["shapes-cnn", "shapes-transformer"]
    assert pieces.of_kind(COSTS, "guards") == [COSTS["guards-8"], COSTS["guards-512"]]


def timed(us_of_replicates: list[float]) -> TimedVariant:
    replicates = [
        Replicate(n, 0.1, 1.0, {}, blocks=[Block(0, [us / 1000] * 3, 3 * us / 1000, 1.0, 0, 0.0)])
        for n, us in enumerate(us_of_replicates)
    ]
    return TimedVariant("x", "same", time=Interval(1e-4, 1e-4, 1e-4), replicates=replicates)


def test_the_slope_is_the_mean_of_the_replicates_slopes_and_has_their_interval(monkeypatch) -> None:
    slopes = [19.0, 20.0, 21.0]
    found = {f"{n} breaks": timed([100 + n * slope for slope in slopes]) for n in breaks.COUNTS}
    result = Result(found, "0 breaks", None, "", 1.0, [], 0.95, 0.01)
    monkeypatch.setattr(timing, "measure", lambda variants, **_: result)
    figures = breaks.per_break("cnn", 1.0)
    assert figures["slope_us"] == pytest.approx(20) and figures["start_us"] == pytest.approx(100)
    half = 4.303 / math.sqrt(3)  # t for 95% with two degrees of freedom, standard deviation 1
    assert figures["slope_us_high"] - figures["slope_us"] == pytest.approx(half, rel=1e-3)
    assert figures["us"]["8"] == pytest.approx(260)


def test_guards_break_even_between_what_is_surely_more_and_what_is_surely_less() -> None:
    both = pieces.of_kind(COSTS, "guards")
    assert guards.break_even(both) == (20.0, 400.0)
    unsure = {**COSTS["guards-512"], "us": 300.0, "share": [0.1, 0.05, 0.2]}
    assert guards.break_even([*both, unsure]) == (20.0, 400.0)
    assert guards.break_even([unsure]) == (None, None)


def test_a_break_whose_interval_holds_zero_is_a_bound() -> None:
    unsure = {**COSTS["breaks-cnn"], "slope_us_low": -3.0}
    assert "| cnn | 100 | 260 | at most 21 | 8 |" in "\n".join(tables.sections({"breaks-cnn": unsure}))


def test_a_model_that_lazy_tensor_runs_whole_has_one_graph_a_call() -> None:
    assert breaks._lazy_graphs("cnn") == 1


def test_the_tables_say_each_figure_with_its_interval() -> None:
    text = "\n".join(tables.sections(COSTS))
    assert "| cnn | 100 | 260 | 20 (19 to 21) | 8 |" in text
    assert "| time with eight breaks, relative to none: compiled | 2.50x (2.40 to 2.60) |" in text
    assert "| graphs of LazyTensor in a call, without breaks | 3 |" in text
    assert "| 8 linear layers of 8 | 20 | 40.0% (38.0% to 42.0%) | 8 |" in text
    assert "of a call of 20 µs guards take more than 10%, of one of 400 µs less" in text
    assert "| cnn | `off` | 40 (39 to 41) | 8 | 1.50x (1.40 to 1.60) |" in text


def test_the_picture_has_a_point_for_each_number_of_breaks() -> None:
    drawn = chart.added(pieces.of_kind(COSTS, "breaks"))
    assert [(point["breaks"], point["added_us"]) for point in drawn.data][-1] == (8, 160.0)
    assert drawn.summary == "cnn: 20.0 µs a break"


def test_the_sentences_begin_with_who_captures_most() -> None:
    said = list(findings.sentences({}, COSTS))
    assert said == [
        "A graph break adds 20 µs (19 to 21) to a call of cnn.",
        "With eight breaks, a call of cnn takes 2.50x (2.40 to 2.60) as long on one processor thread.",
    ]
