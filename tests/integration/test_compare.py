"""Two commits side by side: what fails the gate, what passes it, and what cannot be told."""

import math
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from rows import BASELINE, TWIN, benchmark, row
from scipy import stats

from breakeven.cli import main
from breakeven.core.errors import UserError
from breakeven.engine.comparison import Comparison, ComparisonSet
from breakeven.engine.measure import Measurement
from breakeven.engine.settings import Budget
from breakeven.engine.statistics import Interval
from breakeven.pipeline.compare import paired
from breakeven.pipeline.compare import stored as stored_comparison
from breakeven.pipeline.compare.paired import Change, judged
from breakeven.pipeline.compare.stored import StoredComparison

ONNX = "none/fp32/onnxruntime"


def slow(gain: float, error: float = 0.0175, level: float = 0.95, **more: object):  # type: ignore[no-untyped-def]
    """A row with this standard error of its log-ratio, whose interval is at that level."""
    count = int(more.get("replicates", 5))  # type: ignore[call-overload]
    at, power = stats.t.ppf([(1 + level) / 2, 0.8], count - 1)
    bounds = {
        "speedup_ci_low": 3 * gain * math.exp(-at * error),
        "speedup_ci_high": 3 * gain * math.exp(at * error),
        "min_detectable_effect": math.exp((at + power) * error),
    }
    return row(ONNX, speedup=3 * gain, latency_ms_p50=2.0 / gain, **{**bounds, **more})


def stored(gain: float, **more: object) -> StoredComparison:
    return StoredComparison(slow(gain, **more))  # type: ignore[arg-type]


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Commits whose outputs are the rows that they are given."""
    monkeypatch.setattr(
        stored_comparison, "restored", lambda revision, *stages: nullcontext(tmp_path / revision)
    )

    def commit(name: str, rows: list) -> None:  # type: ignore[type-arg]
        folder = tmp_path / name / "results/benchmark"
        folder.mkdir(parents=True)
        benchmark([BASELINE, TWIN, *rows]).write(folder / "cnn-cpu1.json")

    return commit


def compared(*options: str) -> int:
    return main.main(["compare", "a", "b", "--stored", "--variant", ONNX, *options])


def test_the_intervals_of_two_runs_add_up() -> None:
    change = stored_comparison.change(stored(1.0), stored(2.0), 0.95, margin=0.01)
    assert change.verdict == "faster" and change.gain and change.gain.value == pytest.approx(2.0)
    assert change.gain.high / change.gain.low > math.exp(2 * 0.0175 * 2.7)
    assert stored_comparison.change(stored(2.0), stored(1.0), 0.95, margin=0.01).worse
    assert stored_comparison.change(stored(1.0), stored(1.0), 0.95, margin=0.01).verdict == "undecided"
    assert stored_comparison.change(stored(1.0), stored(1.2), 0.9999, margin=0.01).verdict == "undecided"


@pytest.mark.parametrize("replicates", [3, 5, 300])
def test_an_interval_is_students_at_any_level(replicates: int) -> None:
    rows = [stored(1.0, error=0.02, level=level, replicates=replicates) for level in (0.9, 0.95, 0.999)]
    for confidence in (0.95, 0.999):
        expected = 0.02 * stats.t.ppf((1 + confidence) / 2, replicates - 1)
        assert [each.half_width(confidence) for each in rows] == pytest.approx([expected] * 3)


def test_an_interval_that_was_cut_off_where_it_is_widest_is_not_narrow() -> None:
    # Two replicates at a high level: the effect is cut off, and with it the interval or not.
    for high in (3e6, 30.0):
        told_nothing = stored(1.0, speedup_ci_low=9 / high, speedup_ci_high=high, min_detectable_effect=1e6)
        assert stored_comparison.change(told_nothing, told_nothing, 0.95, margin=0.01).verdict == "undecided"


@pytest.mark.parametrize(
    ("gain", "options", "code", "said"),
    [
        (2.0, [], 0, ""),
        (
            1.0,
            [],
            2,
            "measure longer (compare without --stored): a slowdown of 5.0% cannot be ruled out: cnn none/",
        ),
        (1.0, ["--tolerance", "0.3"], 0, ""),
        (0.5, ["--tolerance", "0.3"], 1, "slower than a, or gone: cnn none/fp32/onnxruntime"),
    ],
)
def test_the_exit_code_is_a_gate(
    gain: float, options: list[str], code: int, said: str, commits, capsys: pytest.CaptureFixture[str]
) -> None:  # type: ignore[no-untyped-def]
    commits("a", [slow(1.0)])
    commits("b", [slow(gain)])
    assert compared(*options) == code
    printed = capsys.readouterr()
    assert said in printed.err and "by stored results" in printed.out
    assert "speedup of b over a" in " ".join(printed.out.split())


def test_what_is_gone_fails_the_gate(commits, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    commits("a", [slow(1.0), row("none/fp32/openvino", min_detectable_effect=1.1)])
    commits("b", [slow(2.0)])
    assert main.main(["compare", "a", "b", "--stored", "--tolerance", "0.3"]) == 1
    assert "or gone: cnn none/fp32/openvino." in capsys.readouterr().err


def test_an_unreliable_run_decides_nothing(commits, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    commits("a", [slow(1.0)])
    commits("b", [slow(0.2, verdict="undecided", unreliable=True)])
    assert compared("--tolerance", "0.3") == 2
    assert "undecided because its run was unreliable: cnn " in capsys.readouterr().err


def test_at_80_columns_the_table_fits_and_a_sentence_names_five_variants_at_most(
    commits, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # type: ignore[no-untyped-def]
    names = [f"prune50/int8-static/torchscript_frozen{number}" for number in range(8)]
    rows = [row(name, speedup=1.0, min_detectable_effect=1.2) for name in names]
    commits("a", rows)
    commits("b", rows)
    monkeypatch.setenv("COLUMNS", "80")
    assert main.main(["compare", "a", "b", "--stored", "--tolerance", "0.001"]) == 2
    printed = capsys.readouterr()
    assert max(map(len, printed.out.splitlines())) <= 80 and "…" not in printed.out
    assert printed.err.count("torchscript_frozen") == 5 and printed.err.endswith(" and 3 more.\n")


def test_a_slower_day_is_no_slower_variant(tmp_path: Path, commits) -> None:  # type: ignore[no-untyped-def]
    commits("a", [slow(1.0)])
    commits("b", [])
    late = replace(BASELINE, latency_ms_p50=6.0)
    slower = replace(slow(1.0), latency_ms_p50=6.0)
    benchmark([late, TWIN, slower]).write(tmp_path / "b/results/benchmark/cnn-cpu1.json")
    assert compared("--tolerance", "0.3") == 0


def test_what_an_earlier_study_left_here_is_not_compared(
    tmp_path: Path, commits, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    commits("a", [slow(1.0)])
    left = replace(slow(1.0), family="other", machine="another")
    replace(benchmark([left]), family="other").write(tmp_path / "a/results/benchmark/other-cpu1.json")
    study = stored_comparison.schema.read_study()
    monkeypatch.setattr(stored_comparison.schema, "read_study", lambda: study)
    assert {change.family for change in stored_comparison.stored("a", "a", "cpu1", "*")} == {"cnn", "other"}
    monkeypatch.chdir(tmp_path / "a")
    assert {change.family for change in stored_comparison.stored("a", "a", "cpu1", "*")} == {"cnn"}


@pytest.mark.parametrize("share", ["-0.1", "1", "little"])
def test_a_tolerance_is_a_share(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        compared(f"--tolerance={share}")
    assert f"{share}: give a share from 0 to below 1" in capsys.readouterr().err


def test_results_of_two_machines_are_not_compared(tmp_path: Path, commits) -> None:  # type: ignore[no-untyped-def]
    commits("a", [slow(1.0)])
    commits("b", [])
    path = tmp_path / "b/results/benchmark/cnn-cpu1.json"
    benchmark([replace(each, machine="another") for each in (BASELINE, TWIN, slow(1.0))]).write(path)
    with pytest.raises(UserError, match="different machines, or versions: a machine, 2 cores; another"):
        stored_comparison.stored("a", "b", "cpu1", "*")
    assert [change.variant for change in stored_comparison.stored("a", "a", "cpu1", "*")] == [ONNX]


@pytest.mark.parametrize(
    ("first", "second", "worse", "unknown"),
    [
        (Comparison("baseline"), Comparison("slower", speedup=Interval(0.9, 0.8, 0.95)), True, False),
        (Comparison("baseline"), Comparison("faster", speedup=Interval(1.2, 1.1, 1.3)), False, False),
        (Comparison("baseline"), Comparison("undecided", speedup=Interval(1.0, 0.97, 1.03)), False, False),
        (Comparison("baseline"), Comparison("undecided", speedup=Interval(1.0, 0.9, 1.1)), False, True),
        (Comparison("baseline"), Comparison("failed", "killed"), True, False),
        # On a runner without the runtime neither runs: that says nothing of the second.
        (Comparison("unsupported", "no OpenVINO"), Comparison("unsupported", "no OpenVINO"), False, True),
    ],
)
def test_a_pair_is_judged_by_both(first: Comparison, second: Comparison, worse: bool, unknown: bool) -> None:
    change = judged(("cnn", ONNX), {"first": first, "second": second}, "v1")  # type: ignore[arg-type]
    assert (change.worse, change.unknown(0.05)) == (worse, unknown)
    assert ("v1 does not run here" in change.reason) == (first.verdict == "unsupported")


def test_what_only_the_first_has_is_worse_whatever_the_tolerance() -> None:
    assert Change("cnn", ONNX, paired.MISSING).worse


@pytest.mark.parametrize(
    ("cannot", "doubt", "asked", "said"),
    [
        ("", "", [True], ""),
        ("", "the twin differs", [True, False], "the twin differs"),
        ("it has one core", "", [False], "it has one core"),
    ],
)
def test_a_duet_that_cannot_be_or_misleads_is_measured_in_turns(
    cannot: str, doubt: str, asked: list[bool], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bool] = []

    def measured(in_duet: bool, *arguments: object, **options: object) -> Measurement:
        calls.append(in_duet)
        same = Comparison("same", speedup=Interval(1.0, 0.99, 1.01))
        of = {"first": Comparison("baseline"), "second": same}
        return Measurement(ComparisonSet(of, 1.01), "", 1.0, [], doubt=doubt if in_duet else "")

    monkeypatch.setattr(paired, "measure_artifacts", partial(measured, False))
    monkeypatch.setattr(paired.duet, "measure_in_duet", partial(measured, True))
    monkeypatch.setattr(paired.duet, "why_not", lambda hardware, scenario, *folders: cannot)
    monkeypatch.setattr(paired.dataset, "load_split", lambda *which: SimpleNamespace(images=None))
    monkeypatch.setattr(paired.paths, "prepared", lambda data: Path("data"))
    study = SimpleNamespace(
        measure=SimpleNamespace(budget=lambda seed: Budget()),
        seed=0,
        family=lambda name: SimpleNamespace(data=""),
        hardware={"cpu1": {"name": "cpu", "threads": 1}},
    )
    pairs = {("cnn", ONNX): (Path("a"), Path("b"))}
    (change,) = paired.measured_changes(study, "cpu1", pairs, "main", in_duet=True)  # type: ignore[arg-type]
    assert calls == asked and change.no_duet == said and change.verdict == "same"


def test_a_duet_of_stored_results_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert compared("--duet") == 2
    assert "--stored measures nothing" in capsys.readouterr().err
