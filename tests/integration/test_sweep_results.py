"""What is known of sweeps without running one: which is shown, what is missing, when the report changes."""

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from project import ROOT
from rows import BASELINE, GROWTH, TWIN, benchmark, job, row, sweep

from breakeven.core import cache, paths
from breakeven.core.cache import CacheKey
from breakeven.core.errors import UserError
from breakeven.core.files import write_json
from breakeven.report import (
    pareto_charts,
    row_text,
    static_svg,
    sweep_charts,
    sweep_files,
    sweep_markdown,
)
from breakeven.results import interaction, job_results, sweep_results
from breakeven.results.job_results import STUDY_FILE
from breakeven.results.limits import Limits
from breakeven.results.result_row import ResultRow
from breakeven.results.sweep_results import CACHED, DONE, FAILED, JobOutcome, Sweep
from hydra_plugins.breakeven_sweep import submitit_launchers

LIMITS = Limits(max_accuracy_drop=1.0)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "home", lambda: tmp_path / "home")
    return tmp_path / "home"


def keep(folder: Path, title: str, rows: Sequence[ResultRow]) -> JobOutcome:
    """A job that has left these rows in the store."""
    found = benchmark(rows)
    source = folder / title
    found.write(source / paths.benchmark(found.family, found.hardware))
    write_json(source / STUDY_FILE, {"families": {"net": {}}, "datasets": {"digits": {}}})
    key = CacheKey("job", {"title": title})
    cache.save(key, title, source)
    return JobOutcome(title, [title], DONE, key.digest)


def record(study: str, jobs: Sequence[JobOutcome], at: int = 1) -> Sweep:
    """The record of a sweep, written so many seconds after the epoch."""
    made = sweep_results.write_sweep(study, f"breakeven-sweep study={study}", jobs, {})
    os.utime(sweep_results.folder() / f"{made.name}.json", (at, at))
    return made


@pytest.fixture
def jobs(tmp_path: Path) -> list[JobOutcome]:
    return [keep(tmp_path, f"net{size}", job(size)) for size in (6, 7, 8)]


def test_shown_is_the_newest_of_each_study_that_has_results_here(jobs: list[JobOutcome]) -> None:
    gone = JobOutcome("gone", [], DONE, "0" * 16)
    old, new = record("scaling", jobs[:1], 1), record("scaling", jobs, 2)
    record("scaling", [gone], 3)
    alone = record("combos", [gone], 4)
    assert sweep_results.newest() == [alone, new]
    os.utime(sweep_results.folder() / f"{old.name}.json", (5, 5))
    assert sweep_results.newest() == [alone, old]


def test_a_version_changes_with_what_is_shown_and_with_nothing_else(jobs: list[JobOutcome]) -> None:
    sweep = record("scaling", jobs)
    again = replace(sweep, jobs=[replace(each, status=CACHED, seconds=9.0) for each in jobs])
    assert again.version == sweep.version
    failed = replace(jobs[0], status=FAILED, reason="killed")
    other = [replace(sweep, command="breakeven-sweep"), replace(sweep, jobs=[failed, *jobs[1:]])]
    before = sweep.version
    shutil.rmtree(paths.store() / "job" / jobs[0].key)
    assert len({before, sweep.version, *(each.version for each in other)}) == 4


def test_a_job_that_is_measured_again_is_another_version(jobs: list[JobOutcome], tmp_path: Path) -> None:
    sweep = record("scaling", jobs)
    before = sweep.version
    assert keep(tmp_path, "net6", [replace(each, speedup=1.5) for each in job(6)]).key == jobs[0].key
    assert sweep.version != before


def test_an_experiment_in_a_temporary_folder_notes_the_same(
    jobs: list[JobOutcome], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = record("scaling", jobs)
    monkeypatch.undo()
    found = []
    for folder in (home, home / ".dvc/tmp/exps/tmp123"):
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.setenv("DVC_ROOT", str(folder))
        monkeypatch.chdir(folder)
        paths.home.cache_clear()
        try:
            found.append({each.name: each.version for each in sweep_results.newest()})
        finally:
            paths.home.cache_clear()
    assert found[0] == found[1] and list(found[0]) == [sweep.name]


def damage(folder: Path, how: str) -> None:
    """One way to lose a job."""
    (measured,) = (folder / cache.FILES_FOLDER / paths.BENCHMARKS).glob("*.json")
    if how == "pruned":
        shutil.rmtree(folder)
    elif how == "cut":
        measured.write_text(measured.read_text()[:100])
    elif how == "a file gone":
        measured.unlink()
    else:
        (folder / cache.NOTE_FILE).write_text("{")


@pytest.mark.parametrize("how", ["pruned", "cut", "a file gone", "its note cut"])
def test_a_lost_job_is_told_and_the_others_are_shown(jobs: list[JobOutcome], how: str) -> None:
    record("scaling", jobs)
    damage(paths.store() / "job" / jobs[0].key, how)
    (section,) = sweep_charts.sections(LIMITS)
    assert list(section.swept.missing) == ["net6"] and "its results" in section.swept.missing["net6"]
    assert {row.family for row in section.swept.rows} == {"net7", "net8"}
    assert [chart.name for chart in section.charts] == ["macs-cpu1", "params-cpu1", "calls-cpu1"]
    with pytest.raises(UserError, match="its results"):
        job_results.read_job(jobs[0].key)


def test_results_of_another_version_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    (folder / paths.BENCHMARKS).mkdir(parents=True)
    (folder / paths.BENCHMARKS / "net-cpu1.json").write_text('{"rows": []}')
    key = CacheKey("job", {"title": "old"})
    cache.save(key, "old", folder)
    record("scaling", [JobOutcome("old", [], DONE, key.digest)])
    (section,) = sweep_charts.sections(LIMITS)
    assert section.swept.missing == {"old": "its results are of another version of Breakeven"}


def test_a_damaged_record_is_told_and_left_out(
    jobs: list[JobOutcome], capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = record("scaling", jobs)
    (sweep_results.folder() / "combos-1.json").write_text('{"name": "combos-1"')
    (sweep_results.folder() / "combos-2.json").write_text('{"name": "combos-2"}')
    assert sweep_results.newest() == [sweep]
    assert capsys.readouterr().err.count("is damaged, and left out") == 2


def test_the_page_says_what_is_missing_and_bounds_what_is_paid_back(
    jobs: list[JobOutcome], tmp_path: Path
) -> None:
    sweep = record("scaling", jobs)
    damage(paths.store() / "job" / jobs[0].key, "pruned")
    sweep_files.write(sweep, tmp_path / "page.md", tmp_path / "charts.html", LIMITS)
    text = (tmp_path / "page.md").read_text()
    assert "## Jobs whose results are missing\n\n- net6: its results are not in the store any more" in text
    assert "| net7 | 2,000 (0 to 100,000) | 1,000 (0 to 100,000) |" in text
    charts = (tmp_path / "charts.html").read_text(encoding="utf-8")
    assert "<h1>The sweep scaling</h1>" in charts and "net8" in charts and 'id="how"' not in charts


def test_a_page_of_nothing_is_refused_with_the_command(jobs: list[JobOutcome], tmp_path: Path) -> None:
    sweep = record("scaling", jobs)
    shutil.rmtree(paths.store())
    with pytest.raises(UserError, match="run `breakeven-sweep study=scaling` again"):
        sweep_files.write(sweep, tmp_path / "page.md", tmp_path / "charts.html", LIMITS)


@pytest.mark.parametrize(
    ("figures", "shown"),
    [
        (("205", "0", "12034"), "205 (0 to 12,000)"),
        (("10547", "8123", "1234567"), "10,500 (8,120 to 1,230,000)"),
        (("7", "7", "8"), "7 (7 to 8)"),
        (("never", "never", "never"), "never"),
        (("undecided", "undecided", "undecided"), "undecided"),
        (("205", None, None), "205"),
        ((None, None, None), ""),
    ],
)
def test_break_even_calls_are_rounded_and_have_bounds(figures: tuple[str | None, ...], shown: str) -> None:
    names = ("breakeven_calls", "breakeven_calls_low", "breakeven_calls_high")
    assert row_text.calls(row("none/fp32/onnxruntime", **dict(zip(names, figures, strict=True)))) == shown


def test_break_even_without_training_is_said_beside_the_whole() -> None:
    pruned = row("prune50/fp32/eager", breakeven_calls="20600", breakeven_calls_without_training="28")
    assert row_text.all_calls(pruned) == "20,600; 28 without training"
    assert row_text.all_calls(row("none/fp32/a", breakeven_calls="7")) == "7"


def test_a_twin_is_never_the_fastest(tmp_path: Path) -> None:
    slow = row("none/fp32/onnxruntime", "slower", speedup=0.5)
    rows = {name: [replace(each, hardware=name) for each in (BASELINE, TWIN, slow)] for name in ("a", "b")}
    record("places", [keep(tmp_path, name, mine) for name, mine in rows.items()])
    (section,) = sweep_charts.sections(LIMITS)
    (chart,) = section.charts
    assert {point["variant"] for point in chart.data} == {"none/fp32/eager"}


@pytest.mark.parametrize(("sizes", "first"), [([8], "variant"), ([7, 8, 9], "model")])
def test_the_longer_side_of_a_table_goes_down_the_page(sizes: list[int], first: str) -> None:
    page = sweep_markdown.render(sweep([job(size) for size in sizes]).swept, {})
    _, _, below = page.partition("## Break-even in calls")
    header = next(line for line in below.splitlines() if line.startswith("|"))
    assert header.startswith(f"| {first} |") and header.count("|") == 2 + min(len(sizes), len(GROWTH))


def test_a_model_counts_once_however_many_jobs_held_it() -> None:
    jobs = [job(size) for size in (6, 7, 8, 9)]
    twice = sweep([*jobs, *jobs]).swept
    assert [trend.models for trend in twice.trends] == [4] * len(GROWTH)
    assert twice.trends == sweep(jobs).swept.trends


def test_the_same_job_asked_for_twice_is_read_once(home: Path) -> None:
    known = keep(home, "job", job(8))
    assert len(sweep_files.collect(Sweep("x", "x", "x", [known, known]), LIMITS).jobs) == 1


def test_an_unreliable_run_is_named_and_judged_nowhere() -> None:
    reason = "unreliable run: the twin differs from the baseline"
    fault = {"verdict": "undecided", "reason": reason, "unreliable": True}
    bad = [replace(each, **fault) if each.speedup != 1 else each for each in job(10)]
    found = sweep([*(job(size) for size in (6, 7, 8, 9)), bad]).swept
    assert [trend.models for trend in found.trends] == [4] * len(GROWTH)
    assert "net10" not in {row.family for row in [*found.judged, *found.fronts]}
    assert found.unreliable == ["net10 on cpu1, batch 1: unreliable run: the twin differs from the baseline"]
    assert f"- {found.unreliable[0]}" in sweep_markdown.render(found, {}).partition("## Not judged")[2]


def test_what_failed_in_one_job_is_that_of_another_that_measured_it() -> None:
    lost = replace(row("none/fp32/onnxruntime", "failed", speedup=None), reason="killed")
    measured = row("none/fp32/onnxruntime", speedup=3.0)
    found = sweep([[BASELINE, TWIN, lost], [BASELINE, TWIN, measured]]).swept.judged
    assert [each.speedup for each in found if each.variant == measured.variant] == [3.0]


def test_hardware_of_two_machines_is_told_apart() -> None:
    here = [job(size) for size in (6, 7, 8, 9)]
    there = [[replace(each, machine="another") for each in rows] for rows in here]
    found = sweep([*here, *there]).swept
    assert len(found.hardware) == 2 and all(" of " in name for name in found.hardware)
    assert len(found.trends) == 2 * len(GROWTH) and {trend.models for trend in found.trends} == {4}


def test_a_page_without_single_inputs_says_what_it_lacks() -> None:
    batches = [[replace(each, batch_size=32) for each in job(size)] for size in (6, 7, 8)]
    assert "`measure.batch_sizes` lacks 1" in sweep_markdown.render(sweep(batches).swept, {})
    assert "lacks 1" not in sweep_markdown.render(sweep([job(8)]).swept, {})


def test_what_is_recommended_is_within_the_limits_that_the_sweep_was_asked_with(home: Path) -> None:
    worse = {"score_delta": -0.015, "score_delta_ci_low": -0.019}
    known = keep(home, "job", [BASELINE, TWIN, row("none/fp32/onnxruntime", speedup=3.0, **worse)])
    for recommend, best in (({}, "none/fp32/eager"), ({"max_accuracy_drop": 2.0}, "none/fp32/onnxruntime")):
        found = sweep_files.collect(Sweep("x", "x", "x", [known], recommend), LIMITS)
        assert [each.variant for each in found.rows if each.recommended] == [best]


def test_a_front_holds_what_no_job_beats() -> None:
    front = {"score": 0.9, "artifact_mb": 1.0}
    jobs = [
        [BASELINE, TWIN, row("prune30/fp32/onnxruntime", speedup=2.0, **front)],
        [BASELINE, TWIN, row("prune50/fp32/onnxruntime", speedup=3.0, **front)],
    ]
    assert [each.variant for each in sweep(jobs).swept.fronts] == ["prune50/fp32/onnxruntime"]


def test_a_front_is_drawn_where_models_are_compressed(tmp_path: Path) -> None:
    small = {"score": 0.9, "artifact_mb": 1.0}
    compressed = [row("prune30/fp32/onnxruntime", speedup=2.0, **small)]
    compressed += [row("prune50/fp32/onnxruntime", speedup=3.0, **small)]
    swept = sweep([[BASELINE, TWIN, *compressed]]).swept
    (chart,) = pareto_charts.fronts(swept).values()
    (on,) = (point for point in chart.data if point["front"] == pareto_charts.ON_FRONT)
    assert (on["variant"], on["score"], on["mb"]) == ("prune50/fp32/onnxruntime", 90.0, 1.0)
    assert {point["variant"] for point in chart.data} == {"none/fp32/eager", *(r.variant for r in compressed)}
    static_svg.write_front(tmp_path / "front.svg", chart, pareto_charts.ON_FRONT)
    drawn = (tmp_path / "front.svg").read_text()
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert "1: prune50/fp32/onnxruntime" in texts
    assert not any("prune30" in text for text in texts)  # what is beaten has no name
    assert pareto_charts.fronts(sweep([[BASELINE, TWIN, row("none/fp32/onnxruntime")]]).swept) == {}


def test_combinations_are_drawn_beside_the_page(tmp_path: Path) -> None:
    parts = [BASELINE, row("half/fp32/eager", speedup=2.0), row("none/fp32/onnxruntime", speedup=3.0)]
    swept = sweep([[*parts, row("half/fp32/onnxruntime", speedup=9.0)]]).swept
    chart = sweep_charts.combinations(swept)
    assert chart
    static_svg.write_chart(tmp_path / "combinations.svg", chart)
    assert interaction.MORE_THAN_PRODUCT in (tmp_path / "combinations.svg").read_text()


def test_another_fastest_variant_is_told_only_where_that_is_sure() -> None:
    def places(gain: float, least: float) -> list[ResultRow]:
        first = [row("none/fp32/a", speedup=2.0), row("none/fp32/b", speedup=least)]
        second = [row("none/fp32/a", speedup=2.0), row("none/fp32/b", speedup=gain)]
        return [*first, *(replace(each, batch_size=8) for each in second)]

    for gain, least, told in ((2.1, 1.0, []), (4.0, 1.9, []), (4.0, 1.0, ["cnn"])):
        found = places(gain, least)
        assert interaction.changing(found, interaction.best(found)) == told
    slow = [replace(each, hardware="cpu2") for each in (BASELINE, row("none/fp32/a", "slower", speedup=0.8))]
    rows = [BASELINE, row("none/fp32/a", speedup=2.0), *slow]
    assert interaction.changing(rows, interaction.best(rows)) == ["cnn"]


def test_a_cluster_is_asked_for_whole_nodes(tmp_path: Path) -> None:
    from submitit.slurm.slurm import _make_sbatch_string

    asked = yaml.safe_load((ROOT / "conf/hydra/launcher/slurm.yaml").read_text())["additional_parameters"]
    script = _make_sbatch_string("true", tmp_path, additional_parameters=asked)
    assert "#SBATCH --exclusive\n" in script  # with an empty value slurm refuses it


def test_the_reason_of_a_lost_task_is_one_line() -> None:
    raised = f"Job (task=0) failed during processing with trace:\n{'-' * 22}\n  File x\nImportError: no y\n\n"
    assert submitit_launchers.reason(RuntimeError(raised + "-" * 22 + "\nlogs")) == "ImportError: no y"
