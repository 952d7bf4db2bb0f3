"""What was measured once is found by whoever needs the same."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest
import rows
import yaml
from project import ROOT, Project

from breakeven.artifacts.artifact import BASELINE, Artifact
from breakeven.config import compose
from breakeven.config.schema import validate
from breakeven.config.study import Study
from breakeven.core import paths, system_info
from breakeven.core.cache import CacheKey
from breakeven.core.errors import UserError
from breakeven.core.files import write_json
from breakeven.engine.comparison import Comparison, ComparisonSet
from breakeven.engine.measure import Measurement
from breakeven.engine.settings import SINGLE_STREAM, Scenario
from breakeven.pipeline.benchmark import sound
from breakeven.results import measurement_cache
from breakeven.results.records import ScenarioResult, VariantResult

BENCHMARK = ("python", "-m", "breakeven.pipeline", "benchmark", "cnn")
TAKEN = "batch 1: as it was measured at "
CARD = Artifact("cnn", "none", "fp32", "", "eager", {}, "outside", [], [], 1, 1, key="made of this")


def interrupt(project: Project, hardware: str, when: str, **more: str) -> str:
    """Begin to measure, until something is said; returns all that was."""
    command, said = (*BENCHMARK, hardware), ""
    with subprocess.Popen(
        command, cwd=project.folder, env=project.environment(**more), stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr
        for line in running.stderr:
            said += line
            if when in line:
                running.send_signal(signal.SIGTERM)
                break
        said_at_the_end = running.communicate()[1]
    assert running.returncode == 128 + signal.SIGTERM, said + said_at_the_end
    return said


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_interrupted_benchmark_goes_on_where_it_was(project: Project) -> None:
    project.run("breakeven", "compose", "study=tiny", "measure.batch_sizes=[1,4]", "hardware=[cpu1,cpu2]")
    for folder in project.folder.glob("artifacts/*/cnn/*"):
        if folder.name != "none--fp32--eager":  # one variant and the twin are enough
            shutil.rmtree(folder)
    interrupt(project, "cpu1", "batch 4:")
    assert TAKEN not in interrupt(project, "cpu2", "batch 1:")  # one hardware's is not another's
    done = project.run(*BENCHMARK, "cpu1")
    assert TAKEN in done.stderr and "variants and the twin" in done.stderr
    result = json.loads((project.folder / "results/benchmark/cnn-cpu1.json").read_text())
    assert {record["row"]["batch_size"] for record in result["records"]} == {1, 4}
    assert result["seconds"] > 0
    assert TAKEN not in interrupt(project, "cpu1", "batch 1:", BREAKEVEN_AGAIN=str(time.time()))


@cache
def composed() -> Study:
    return validate(yaml.safe_load(compose.compose(["hardware=[cpu1,cpu2]"], ROOT / paths.CONF)))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.setattr(paths, "MACHINE", tmp_path / "machine.json")
    monkeypatch.delenv(measurement_cache.AGAIN_VARIABLE, raising=False)
    write_json(tmp_path / "machine.json", {"name": "a machine"})
    return tmp_path


def key(
    change: Callable[[Study], Study] = lambda study: study,
    hardware: str = "cpu1",
    scenario: Scenario = SINGLE_STREAM,
    card: Artifact = CARD,
    data: str = "digest",
    controls: Mapping[str, str] = MappingProxyType({"half": "control"}),
) -> CacheKey:
    study = change(composed())
    return measurement_cache.key_of(study, hardware, scenario, data, {BASELINE: card}, controls)


def measuring(**changes: object) -> Callable[[Study], Study]:
    return lambda study: study.model_copy(update={"measure": study.measure.model_copy(update=changes)})


def part(at: float) -> ScenarioResult:
    return ScenarioResult(
        "batch 1", at, 2.0, "abc", False, "time", {}, [], [VariantResult(rows.BASELINE, [])]
    )


def found(key: CacheKey) -> ScenarioResult | None:
    return measurement_cache.find(key, "cnn", "cpu1", {BASELINE: CARD})


def test_it_is_found_under_the_names_of_who_asks(home: Path) -> None:
    measurement_cache.keep(key(), "the CNN", part(at=100.0))
    mine = replace(CARD, runtime="my_eager", status="failed", reason="why")
    taken = measurement_cache.find(key(), "cnn-width8", "my_core", {BASELINE: mine})
    names = {"family": "cnn-width8", "hardware": "my_core", "runtime": "my_eager", "reason": "why"}
    assert taken == replace(part(at=100.0), records=[VariantResult(replace(rows.BASELINE, **names), [])])


def test_what_was_damaged_since_is_not_taken(home: Path) -> None:
    measurement_cache.keep(key(), "the CNN", part(at=100.0))
    assert found(key()) == part(at=100.0)
    (file,) = home.glob(f".breakeven/store/measurement/*/files/{measurement_cache.MEASUREMENT_FILE}")
    file.write_text(file.read_text().replace("2.0", "1.0"))
    assert found(key()) is None


def test_an_artifact_of_another_version_is_told(home: Path) -> None:
    with pytest.raises(UserError, match="its card is of another version of Breakeven: run `dvc repro`"):
        key(card=replace(CARD, key=""))


@pytest.mark.parametrize(
    "same",
    [
        lambda: key(measuring(batch_sizes=[1, 8])),  # which does not change this scenario
        lambda: key(lambda study: study.model_copy(update={"study": "another"})),
        lambda: key(card=replace(CARD, family="another", build_s=2.0)),  # the same, exported once more
    ],
)
def test_what_does_not_change_it_measures_nothing_again(same: Callable[[], CacheKey], home: Path) -> None:
    assert same().digest == key().digest


@pytest.mark.parametrize(
    "other",
    [
        lambda: key(measuring(rounds=4)),
        lambda: key(measuring(latency_limit_ms=5.0)),  # which takes more blocks, for bounds of p99
        lambda: key(lambda study: study.model_copy(update={"seed": 1})),
        lambda: key(hardware="cpu2"),
        lambda: key(scenario=Scenario(batch_size=4)),
        lambda: key(scenario=Scenario(callers=4)),
        lambda: key(data="another"),
        lambda: key(controls={}),
        lambda: key(controls={"half": "control_long"}),
        lambda: key(card=replace(CARD, key="made of that")),
        lambda: key(card=replace(CARD, status="failed")),
    ],
)
def test_what_was_measured_otherwise_is_not_taken(other: Callable[[], CacheKey], home: Path) -> None:
    measurement_cache.keep(key(), "the CNN", part(at=100.0))
    assert found(other()) is None
    serves = [key(scenario=Scenario(callers=4, processes=processes)).digest for processes in (False, True)]
    assert len({*serves}) == 2


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("sched_getaffinity", lambda process: {0}),
        ("ENVIRONMENT_AT_START", {**os.environ, "KMP_BLOCKTIME": "0"}),
        ("digests_of", lambda stage, plugins: {"bench": "another"}),
    ],
)
def test_where_and_with_what_it_was_measured_counts(
    place: str, change: object, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = key().digest
    owner = next(each for each in (os, system_info, measurement_cache) if hasattr(each, place))
    monkeypatch.setattr(owner, place, change)
    assert key().digest != before


def test_another_machine_is_another_measurement(home: Path) -> None:
    before = key().digest
    write_json(home / "machine.json", {"name": "another"})
    assert key().digest != before


def test_what_was_measured_before_it_was_asked_for_again_does_not_count(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measurement_cache.keep(key(), "the CNN", part(at=100.0))
    monkeypatch.setenv(measurement_cache.AGAIN_VARIABLE, "99")
    assert found(key())
    monkeypatch.setenv(measurement_cache.AGAIN_VARIABLE, "101")
    assert found(key()) is None
    for wrong in ("yes", "nan", "-1", f"{time.time() + 100}"):
        monkeypatch.setenv(measurement_cache.AGAIN_VARIABLE, wrong)
        with pytest.raises(UserError, match="should be a time in seconds since 1970"):
            measurement_cache.since()


@pytest.mark.parametrize(
    ("fault", "verdict", "kept"),
    [("", "faster", True), ("", "unsupported", True), ("", "failed", False), ("the twin", "faster", False)],
)
def test_what_nobody_can_judge_or_lacks_a_variant_is_not_kept(fault: str, verdict: str, kept: bool) -> None:
    judged = ComparisonSet({BASELINE: Comparison("baseline"), "other": Comparison(verdict)}, 1.0, fault)
    assert sound(Measurement(judged, "time", 1.0, [])) is kept
