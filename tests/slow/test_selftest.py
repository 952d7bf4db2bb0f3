"""The self-test's own parts: what it injects is what it says, and its rows follow from what it saw."""

import json
from functools import partial
from pathlib import Path

import pytest
from project import ROOT

from breakeven.core import paths, plugin
from breakeven.engine.selftest import (
    aa_copies,
    ablation,
    agreement,
    carry_over,
    duets,
    time_to_verdict,
    versions,
)
from breakeven.engine.selftest.aa_copies import MODELS, Trial, half_width
from breakeven.engine.selftest.ablation import METHODS, CommonProtocol
from breakeven.engine.selftest.check import Check, average, check, share
from breakeven.engine.selftest.plan import plan
from breakeven.engine.selftest.plot import draw
from breakeven.engine.selftest.rows import rows
from breakeven.engine.selftest.slowed import _nothing, _slow, _time_of
from breakeven.engine.selftest.table import markdown
from breakeven.engine.selftest.time_to_verdict import Wait
from breakeven.engine.selftest.versions import Versions
from breakeven.engine.settings import Budget

pytestmark = pytest.mark.timeout(300)


def test_a_slowed_call_takes_its_share_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0

    def clock() -> int:  # looking at it takes time, too
        nonlocal now
        now += 10
        return now

    def work(inputs: object) -> None:
        nonlocal now
        now += 10_000

    monkeypatch.setattr("breakeven.engine.selftest.slowed.perf_counter_ns", clock)
    own = _time_of(_slow(_nothing, 0.0, 0.0)) - _time_of(_nothing)
    assert own > 0
    assert _time_of(_slow(work, 0.5, own)) / _time_of(work) == pytest.approx(1.5, abs=0.01)


def test_the_slowed_runtime_is_an_option_like_any_other() -> None:
    settings = {"name": "breakeven.engine.selftest.slowed", "of": {"name": "onnxruntime"}, "share": 0.02}
    runtime = plugin.load("runtimes", settings, "slowed")
    assert runtime.inner.name == "onnxruntime"


def test_the_plan_compares_at_least_200_copies_in_every_condition() -> None:
    trials = [piece.run.__self__ for piece in plan(quick=False) if piece.kind == "copies"]  # type: ignore[attr-defined]
    assert sum(len(trial.shares) for trial in trials) >= 200
    seen = {(trial.model, trial.threads, trial.loaded) for trial in trials}
    assert seen == {(m, t, load) for m in ("cnn", "resnet18") for t in (1, 2) for load in (False, True)}


@pytest.mark.parametrize("quick", [False, True])
def test_no_two_pieces_share_a_file(quick: bool) -> None:
    names = [piece.name for piece in plan(quick)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("value", "bar", "holds"),
    [(0.05, "<= 0.05", True), (0.051, "<= 0.05", False), (0.9, ">= 0.9", True), (0.89, ">= 0.9", False)],
)
def test_a_row_holds_just_if_its_value_reaches_the_bar(value: float, bar: str, holds: bool) -> None:
    assert check("a", "b", value, bar=bar).holds is holds


def test_a_row_without_a_bar_claims_nothing() -> None:
    assert check("a", "b", 1.0).holds is None


def test_comparisons_that_share_a_baseline_count_for_less() -> None:
    together = share("a", "b", [[False] * 100])
    apart = share("a", "b", [[False]] * 100)
    assert together.value == apart.value == 0
    assert together.high is not None and apart.high is not None and together.high > apart.high


def test_a_bias_is_held_to_its_bar_on_both_sides() -> None:
    assert average("a", "b", [[-0.02], [-0.02]], "<= 0.01").holds is False
    assert average("a", "b", [[-0.002], [0.002]], "<= 0.01").holds is True


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """A little of everything, really measured."""
    folder = tmp_path_factory.mktemp("selftest")
    little = {"shares": (0.0, 0.0), "seconds_per_variant": -20.0}  # no time: the least number of replicates
    trial, slower = Trial("cnn", **little), Trial("cnn", shares=(0.5, 0.5), seconds_per_variant=-20.0)  # type: ignore[arg-type]
    pairs = [
        agreement.ratios(m, "onnxruntime", agreement.bare_loop_p50_ms, 1, folder, 0, seconds=0.2)
        for m in MODELS.values()
    ]
    with pytest.MonkeyPatch.context() as patch:
        quick = partial(Budget, rounds=5, block_ms=5, settle_ms=5)
        patch.setattr(aa_copies, "Budget", quick)
        patch.setattr(versions, "Budget", partial(quick, seconds=0))
        patch.setattr(versions, "SECONDS_PER_VARIANT", 0.0)
        patch.setattr(time_to_verdict, "Budget", quick)
        patch.setattr(carry_over, "Budget", partial(quick, seconds=0, seconds_per_variant=0))
        patch.setattr(duets, "Budget", partial(quick, seconds=0))
        patch.setattr(duets, "SECONDS_PER_VARIANT", 0.0)
        patch.setattr(ablation, "COPIES", 2)
        return [
            {"kind": "copies", "result": trial.run(folder, 0)},
            {"kind": "slower", "result": slower.run(folder, 1)},
            {"kind": "slower", "result": slower.run(folder, 2)},
            {"kind": "carry-over", "result": carry_over.run("cnn", folder, 0)},
            *([] if duets.why_not() else [{"kind": "duet", "result": duets.run("cnn", folder, 0)}]),
            {"kind": "versions", "result": Versions("cnn", 0.0).run(folder, 0)},
            {"kind": "versions", "result": Versions("cnn", 1.0).run(folder, 0)},
            {"kind": "wait", "result": Wait("cnn", 0.5).run(folder, 0)},
            {"kind": "habit", "result": CommonProtocol("cnn").run(folder, 0)},
            *({"kind": "bare loop", "result": pair} for pair in pairs),
            {"kind": "overhead", "result": agreement.overhead_us(calls=1000, repeats=3)},
        ]


@pytest.mark.slow
def test_every_kind_of_result_becomes_rows(results: list[dict[str, object]], tmp_path: Path) -> None:
    found = rows(json.loads(json.dumps(results)))
    names = {row.check for row in found}
    assert {
        "false verdicts, A/A",
        "mean bias, A/A",
        "half-width of the interval",
        "slowdown found",
        "p50 against bare loop",
        "time the harness adds to a call",
        "ablation: error of the ratio",
        "carry-over, after 64 MB were read",
        "seconds to the verdict",
        "equal verdicts",
        "p99 has bounds",
        "slower version of a library found",
        "equal versions called different",
        *([] if duets.why_not() else ["guard of a duet holds", "half-width in duet, A/A"]),
    } <= names
    methods = [row for row in found if row.check == "ablation: error of the ratio"]
    assert len(methods) == len(METHODS)
    draw(tmp_path / "picture.svg", found)
    assert "sequential" in (tmp_path / "picture.svg").read_text()


@pytest.mark.slow
def test_half_a_call_s_time_more_is_found(results: list[dict[str, object]]) -> None:
    slower = results[1]["result"]
    assert isinstance(slower, dict)
    # The twin of a run differs from the baseline in one run of twenty, which then gives no verdict.
    assert {copy["verdict"] for copy in slower["copies"]} == {"undecided" if slower["fault"] else "slower"}
    assert all(copy["speedup"]["high"] < 1 for copy in slower["copies"])


def test_an_interval_s_half_width_is_a_share_of_its_value() -> None:
    assert half_width({"value": 2.0, "low": 2 / 1.01, "high": 2 * 1.01}) == pytest.approx(0.01)


def test_the_documentation_quotes_the_committed_self_test() -> None:
    committed = [Check(**row) for row in json.loads((ROOT / paths.SELFTEST).read_text())]
    text = (ROOT / "docs/self-test.md").read_text()
    for line in markdown([row for row in committed if row.bar]).splitlines():
        assert line in text
