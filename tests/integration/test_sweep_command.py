"""Sweeps, as a user types them: real Hydra, real launchers, real MLflow."""

import csv
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import mlflow
import psutil
import pytest
import rows
import yaml
from filelock import FileLock
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from mlflow import MlflowClient
from project import LITTLE, ROOT, Project, copy_project, is_over

from breakeven.cli import main
from breakeven.config import compose
from breakeven.config.sections import Settings
from breakeven.core import cache, paths, system_info
from breakeven.core.cache import CacheKey
from breakeven.core.errors import UserError
from breakeven.core.files import write_json
from breakeven.core.source_walk import SourceTree
from breakeven.pipeline.sweep import job_study, job_task, run_job
from breakeven.pipeline.sweep.job_overrides import expand, expand_all, jobs_of_command
from breakeven.pipeline.sweep.main import GROUPS, list_choices
from breakeven.pipeline.sweep.record import RunningSweep, write_record
from breakeven.results import result_row, sweep_results
from breakeven.results.job_results import LOG_FILE, STUDY_FILE
from breakeven.results.result_row import ResultRow
from breakeven.results.sweep_results import CACHED, DONE, FAILED, JobOutcome
from breakeven.tracking import sweep_runs

pytestmark = pytest.mark.timeout(900)

# A sweep that says which options it reads, and when it starts a process.
SPIED = """
import sys
from breakeven.pipeline.sweep.main import main

def hear(event, words):
    if event == "subprocess.Popen":
        print("started", words[0])
    if event == "open" and str(words[0]).endswith(".yaml"):
        print("opened", str(words[0]).rpartition("conf/")[2])

sys.addaudithook(hear)
main()
"""
DROPS = "recommend.max_accuracy_drop=1,2,3"  # three jobs with one key: it is no part of what is measured


def fresh(folder: Path, study: str = LITTLE) -> Project:
    """A project that nothing was made in yet, with a study of little of everything."""
    project = copy_project(folder)
    (project.folder / "conf/study/little.yaml").write_text(study)
    return project


@functools.cache
def composed() -> Settings:
    return dict(yaml.safe_load(compose.compose([], ROOT / paths.CONF, "sweep")))


def name_of(*overrides: str) -> str:
    (name,) = job_study.study_of(composed(), "cnn", overrides).families
    return name


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        (["family=cnn", "measure.rounds=4", "runtime=[eager]", "~family.model.depth"], "cnn"),
        (["seed=1", "compressions.prune50.ratio=0.3"], "cnn-ratio0.3-seed1"),
        (["runtimes.torch_compile.mode=x", "export.preprocessing=inside"], "cnn-preprocessinginside-modex"),
        (["family.model.width=8"], "cnn-width8"),
        (["family.train.lr=0.5"], "cnn-lr0.5"),
        (["+family.model.x=1"], "cnn-x1"),
        (["++family.model.x=1"], "cnn-x1"),
        (["family.train.lr=1.5", "+data.length=64"], "cnn-length64-lr1.5"),
        (["+data.length=64", "family.train.lr=1.5"], "cnn-length64-lr1.5"),
        (["train@family.train=sgd"], "cnn-trainsgd"),
        (["hardware.cpu1.threads=2"], "cnn"),
    ],
)
def test_a_family_is_named_by_what_was_changed_in_it(overrides: list[str], name: str) -> None:
    assert name_of(*overrides) == name


def test_a_hardware_is_named_by_what_was_changed_in_it() -> None:
    hardware = {key: {"name": "cpu", "threads": 2} for key in ["cpu1", "cpu2"]}
    found = job_study.study_of(
        {**composed(), "hardware": hardware}, "cnn", ["hardware.cpu1.threads=2"]
    ).hardware
    assert [*found] == ["cpu1-threads2", "cpu2"]


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("sched_getaffinity", lambda process: {0}),
        ("ENVIRONMENT_AT_START", {**os.environ, "KMP_BLOCKTIME": "0"}),
        ("input_digests", lambda study: {"datasets/digits": {"digits.csv": "another"}}),
    ],
)
def test_what_makes_another_measurement_makes_another_job(
    place: str, change: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = job_study.study_of(composed(), "cnn", [])
    before = job_study.key_of(study).digest
    owner = next(each for each in (os, system_info, job_study) if hasattr(each, place))
    monkeypatch.setattr(owner, place, change)
    assert job_study.key_of(study).digest != before


def test_a_name_is_one_of_a_file() -> None:
    values = ("[1,2]", "{a: 1,b: 2}", "/weights/a model.pt", "/weights/a_model.pt", "x" * 300, "x" * 301)
    names = {name_of(f"family.checkpoint={value}") for value in values}
    assert len(names) == len(values)
    assert all(re.fullmatch(r"[\w.-]{1,50}", name) for name in names)


def test_a_family_without_a_dataset_is_told() -> None:
    family = {key: value for key, value in composed()["family"].items() if key != "data"}
    for data in ({}, {"data": "???"}):
        with pytest.raises(UserError, match="family=cnn: its `data` should name"):
            job_study.study_of({**composed(), "family": family | data}, "cnn", [])


def test_a_study_of_several_families_is_no_job() -> None:
    with pytest.raises(UserError, match=r"study=sweep: it lists families, .* family=cnn,resnet18"):
        job_study.study_of({**composed(), "families": {"cnn": {}, "resnet18": {}}}, "cnn", [])


def test_a_job_in_which_a_variant_fell_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.setattr(run_job, "study_of", lambda *arguments: None)
    key = CacheKey("job", {"seed": 0})
    monkeypatch.setattr(run_job, "key_of", lambda study: key)
    fallen, ran = [rows.row("none/fp32/a", "failed", reason="killed by SIGKILL")], []

    def execute(*arguments: object) -> list[str]:
        folder = tmp_path / f"made{len(ran)}"
        folder.mkdir()
        (folder / LOG_FILE).write_text("measured\n")
        write_json(folder / cache.USED_ENTRIES_FILE, [])
        ran.append(faults := result_row.faults(fallen))
        if faults:
            write_json(folder / run_job.FAULTS_FILE, faults)
        cache.save(key, "a job", folder)
        return faults

    monkeypatch.setattr(run_job, "_execute", execute)
    first = run_job.run({}, "cnn", [])
    assert (first.status, first.reason) == (
        DONE,
        "to be measured again, by the same command: none/fp32/a on cpu1, batch 1: killed by SIGKILL",
    )
    fallen.clear()
    assert [run_job.run({}, "cnn", []).status for _ in range(2)] == [DONE, CACHED] and len(ran) == 2


def test_what_cannot_be_judged_is_tried_again_and_what_is_unsupported_is_not() -> None:
    assert result_row.faults([rows.TWIN, rows.row("none/bf16/a", "unsupported", speedup=None)]) == []
    reason = "unreliable run: the twin differs from the baseline"
    judged = [
        replace(each, reason=reason, unreliable=True)
        for each in (rows.TWIN, rows.row("none/fp32/a", "undecided"))
    ]
    assert result_row.faults(judged) == [f"cpu1, batch 1: {reason}"]


def test_whatever_goes_wrong_costs_one_job(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def study_of(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_job, "study_of", study_of)
    outcome = run_job.run({}, "cnn", ["seed=1"])
    assert (outcome.status, outcome.reason) == (FAILED, "OSError: [Errno 28] No space left on device")
    assert "Traceback" in capsys.readouterr().err  # a bug is not hidden


@pytest.mark.parametrize(
    ("code", "last", "said"),
    [
        (1, "breakeven: no data.", "no data"),
        (3, "", "it ended with exit code 3"),
        (-9, "epoch 3", "killed by SIGKILL, by somebody or for want of memory"),
        (143, "epoch 3", "killed by SIGTERM"),
        (255, "", "it ended with exit code 255"),
    ],
)
def test_the_reason_of_a_job_that_fails_is_how_it_ended(code: int, last: str, said: str) -> None:
    assert run_job._end(code, last) == said


def test_an_edit_is_another_key_in_a_sweep_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    study = job_study.study_of(composed(), "cnn", [])
    before = job_study.key_of(study).parts["code"]
    assert job_study.key_of(study).parts["code"] == before
    read = SourceTree.read
    monkeypatch.setattr(SourceTree, "read", lambda tree, path: read(tree, path) + b"\nEDITED = True\n")
    assert job_study.key_of(study).parts["code"] != before


def test_what_a_job_prints_may_be_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nprintf 'not \\377 text\\n'\nexit 3\n")
    program.chmod(0o755)
    study = job_study.study_of(composed(), "cnn", [])
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(run_job, "study_of", lambda *arguments: study)
    monkeypatch.setattr(run_job, "key_of", lambda study: CacheKey("job", {}))
    assert run_job.run({}, "cnn", []).reason.startswith("not \ufffd text (its output: ")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ["family=glob(scal*)", "family.model.widht=4"],
            "'widht' is unknown; did you mean 'width'?",
        ),
        (["compression=[]", "family.model.widht=4"], "'widht' is unknown; did you mean 'width'?"),
        (["family=scale_bert_base", "family.model.width=4"], "'width' is unknown. Allowed: _target_, "),
    ],
)
def test_a_wrong_key_is_explained_by_those_of_the_job(overrides: list[str], said: str) -> None:
    wrong = overrides[-1]
    key = wrong.partition("=")[0]
    error = HydraException(f"Could not override '{key}'.\nTo append to your config use +{wrong}")
    sentence = compose.explain(error, overrides, ROOT / paths.CONF, "sweep")
    assert sentence.startswith(f"{wrong}: the key {said}")


def test_what_has_no_keys_yet_says_how_one_is_added() -> None:
    error = HydraException("Could not override 'data.length'.\nTo append to your config use +data.length=64")
    sentence = compose.explain(error, ["data.length=64"], ROOT / paths.CONF, "sweep")
    assert sentence.endswith("nothing is set there yet, so it is added by a plus: +data.length=VALUE.")


def test_a_sweep_that_ends_early_has_a_record_of_all_its_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.setattr(sweep_runs, "log", lambda sweep: None)
    every = [["seed=1"], ["seed=2"], ["seed=3"]]
    begun = RunningSweep("little", tmp_path / "sweep", every, {})
    begun.folder.mkdir()
    assert not begun.has_begun  # a launcher that does not start
    (begun.folder / "0").mkdir()
    assert begun.has_begun
    done = JobOutcome("seed=1", ["seed=1"], DONE, "a key")
    write_json(job_task.outcome_file(begun.folder, 0), asdict(done))
    reason = "it had not ended when the sweep did (interrupted)"
    assert not write_record(begun, reason, {2: "its node died"})
    (sweep,) = sweep_results.every()
    assert sweep.jobs[0] == done
    lost = sweep.jobs[1]
    assert (lost.title, lost.overrides, lost.status) == ("seed=2", ["seed=2"], FAILED)
    assert [job.reason for job in sweep.jobs[1:]] == [reason, "its node died"]
    assert lost.key == job_study.key_of(job_study.composed_study(["seed=2"])).digest
    printed = capsys.readouterr().out
    assert reason in printed
    assert f"2 of 3 jobs failed: seed=2: {reason}; seed=3: its node died. The same command" in printed
    assert f"`breakeven analyse PAGE.md --sweep {sweep.name}`" in printed
    assert write_record(RunningSweep("little", begun.folder, [], {}), "") is False  # two have failed


@pytest.mark.parametrize(
    ("asked", "every"),
    [
        (["a=1,2", "b=3"], [["a=1", "b=3"], ["a=2", "b=3"]]),
        (["a=1,2", "a=3"], [["a=3"]]),  # a choice of the study, and one of the command line
        (["+a=range(1,4)", "~b"], [["+a=1", "~b=null"], ["+a=2", "~b=null"], ["+a=3", "~b=null"]]),
        (["family=glob(cnn*)"], [["family=cnn"], ["family=cnn_fashion_mnist"]]),
    ],
)
def test_jobs_are_those_that_hydras_own_sweeper_makes(asked: list[str], every: list[list[str]]) -> None:
    with compose.initialized(ROOT / paths.CONF):
        loader = GlobalHydra.instance().config_loader()
        parsed = OverridesParser.create(config_loader=loader).parse_overrides(asked)
        (hydras,) = BasicSweeper.split_arguments(parsed, max_batch_size=None)
        assert expand(asked, loader) == hydras == every


@pytest.mark.parametrize(
    ("asked", "every"),
    [
        ([], [["f=x", "w=1"], ["f=x", "w=2"], ["f=y", "t=3"]]),
        (["s=0"], [["f=x", "w=1", "s=0"], ["f=x", "w=2", "s=0"], ["f=y", "t=3", "s=0"]]),
        (["w=5"], [["f=x", "w=5"], ["f=y", "t=3", "w=5"]]),
        (["f=z", "w=5,6"], [["f=z", "w=5"], ["f=z", "w=6"]]),  # other models than the study's
    ],
)
def test_a_study_lists_choices_that_go_together(asked: list[str], every: list[list[str]]) -> None:
    sweeper = {"params_lists": [{"f": "x", "w": "1,2"}, {"f": "y", "t": 3}]}
    with compose.initialized(ROOT / paths.CONF):
        assert expand_all(sweeper, asked, GlobalHydra.instance().config_loader()) == every


def test_the_help_lists_what_a_job_can_choose_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")
    lines = list_choices().splitlines()
    groups = [line.split()[0] for line in lines if not line.startswith("   ")]
    assert groups == [*GROUPS, "hydra/launcher"]
    assert max(map(len, lines)) <= 80 and any("basic, " in line for line in lines)


def test_the_number_of_builds_is_in_no_models_name() -> None:
    (name,) = job_study.composed_study(["export.builds=1", "seed=2"]).families
    assert name == "cnn-seed2"


def test_the_models_of_scaling_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    studies = [job_study.composed_study(each) for each in jobs_of_command(["study=scaling"])]
    names = {name for study in studies for name in study.families}
    assert len(names) == len(studies) == 22
    assert names > {"untrained-width134", "scale-torchvision.models.mobilenet_v3_large", "scale_vit_b_16"}


def test_a_sweep_over_an_interval_has_no_jobs() -> None:
    with compose.initialized(ROOT / paths.CONF), pytest.raises(HydraException, match="a=interval"):
        expand(["a=interval(0,1)"], GlobalHydra.instance().config_loader())


@pytest.fixture(scope="module")
def swept(common_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A project after a sweep over two widths, one of which cannot be; each of xdist's workers has a copy."""
    folder, printed = common_folder / "swept", common_folder / "swept.txt"
    with FileLock(common_folder / "swept.lock"):
        if not printed.exists():
            folder.mkdir()
            done = sweep(fresh(folder), "family.model.width=4,0", check=False)
            assert done.returncode == 1, done.stdout + done.stderr
            printed.write_text(done.stdout)
    copy = tmp_path_factory.mktemp("swept") / "project"
    shutil.copytree(folder, copy, symlinks=True)
    return Project(copy), printed.read_text()


def sweep(
    project: Project, *overrides: str, check: bool = True, **more: str
) -> subprocess.CompletedProcess[str]:
    return project.run(
        "python", "-m", "breakeven.pipeline.sweep.main", "study=little", *overrides, check=check, **more
    )


def record(project: Project) -> dict:
    """The newest sweep's."""
    records = (project.folder / ".breakeven/sweeps").glob("*.json")
    return json.loads(max(records, key=lambda path: path.stat().st_mtime).read_text())


def statuses(project: Project) -> list[str]:
    return [job["status"] for job in record(project)["jobs"]]


def runs(project: Project, kind: str) -> list:
    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("breakeven")
    return list(client.search_runs([experiment.experiment_id], f"tags.kind = '{kind}'"))


def ids(found: list) -> set[str]:
    return {run.info.run_id for run in found}


def entries(project: Project, kind: str) -> set[str]:
    return {path.name for path in (project.folder / ".breakeven/store" / kind).glob("*")}


def test_a_job_that_cannot_be_costs_that_job_alone(swept: tuple[Project, str]) -> None:
    project, printed = swept
    assert statuses(project) == ["done", "failed"]
    failed = record(project)["jobs"][1]
    assert "width" in failed["reason"] and "greater than 0" in failed["reason"]
    assert "1 done, 1 failed" in printed and "Traceback" not in printed
    lines = printed.splitlines()
    first, last = (next(line for line in lines if line.startswith(f"job {n} of 2: ")) for n in (1, 2))
    assert first == "job 1 of 2: study=little family.model.width=4" and "width=0" in last
    (end,) = (line for line in lines if line.startswith("job 1 of 2: done, "))
    assert end.endswith(" left")


def test_mlflow_has_a_run_a_sweep_and_one_a_job(swept: tuple[Project, str]) -> None:
    project, _ = swept
    (parent,) = runs(project, "sweep")
    jobs = runs(project, "job")
    assert len(jobs) == 2 and {job.data.tags["mlflow.parentRunId"] for job in jobs} == {parent.info.run_id}
    assert sorted(job.info.status for job in jobs) == ["FAILED", "FINISHED"]
    (good,) = (job for job in jobs if job.info.status == "FINISHED")
    assert good.data.metrics["speedup/cpu1/batch1/none/fp32/onnxruntime"] > 0
    assert good.data.params["family.model.width"] == "4" and good.data.metrics["macs"] > 0
    assert all("breakeven-sweep" in job.data.tags["command"] for job in jobs)


@pytest.mark.slow  # it trains once more; what follows repeats a sweep that trains nothing
def test_what_a_sweep_made_is_not_made_again(swept: tuple[Project, str]) -> None:
    project, _ = swept
    before = {kind: entries(project, kind) for kind in ("data", "model", "artifact", "job")}
    # One width more trains and measures just that.
    done = sweep(project, "family.model.width=4,5")
    assert statuses(project) == ["cached", "done"]
    first, _, second = done.stdout.partition("job 2 of 2: ")
    assert "epoch" not in first and "epoch" in second
    new = {kind: len(entries(project, kind) - before[kind]) for kind in before}
    assert new == {"data": 0, "model": 1, "artifact": 2, "job": 1}


def test_why_a_job_would_be_measured_again_is_told(swept: tuple[Project, str]) -> None:
    why = swept[0].run("breakeven", "cache", "why", "study=little", "family.model.width=4,7").stdout
    differing = why.partition("It differs in:\n")[2].split("\n")
    # A slow test measures width 5: all entries differ by the width alone, so any of them is the nearest.
    (width,) = [line.strip() for line in differing if line][1:]
    assert why.count("hit: ") == 1 and why.count("miss: ") == 1, why
    assert width in {f"settings.family.model.width: {stored} there, 7 here" for stored in (4, 5)}, why


def test_a_cached_job_starts_no_process_and_is_composed_once(swept: tuple[Project, str]) -> None:
    project, _ = swept
    said = project.run("python", "-c", SPIED, "study=little", "family.model.width=4", DROPS).stdout
    assert statuses(project) == ["cached"] * 3, said
    before, _, rest = said.partition("job 1 of 3: ")
    first, _, others = rest.partition("job 2 of 3: ")
    # The command's two compositions, one a job, and two readings to check the files that all jobs choose
    assert before.count("opened family/cnn.yaml") == 2 + 3 + 2
    assert "opened family/cnn.yaml" not in first + others
    jobs, _, after = others.partition("job 3 of 3: cached")
    assert "started" not in jobs and "opened" not in jobs
    assert "started" in first + after  # the compiler's version, and git: it is seen


def test_what_is_logged_already_costs_no_more_for_more_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    class Spied(MlflowClient):
        def __getattribute__(self, name: str):  # type: ignore[no-untyped-def]
            calls.append(name)
            return super().__getattribute__(name)

    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(mlflow, "MlflowClient", Spied)
    needed = []
    for number in (1, 5):
        failed = [JobOutcome(f"job {n}", [], FAILED, f"key {n}", "a reason") for n in range(number)]
        sweep = sweep_results.Sweep(f"sweep {number}", "study", "command", failed)
        for _ in range(2):
            calls.clear()
            sweep_runs.log(sweep)
        needed.append(sorted(calls))
    assert needed[0] == needed[1] and "search_runs" in needed[0]
    assert len(runs(Project(tmp_path), "job")) == 1 + 5  # and each is there once


def keep(folder: Path, found: Sequence[ResultRow]) -> JobOutcome:
    """A job that has left these rows in the store."""
    benchmark = rows.benchmark(found)
    benchmark.write(folder / paths.benchmark(benchmark.family, benchmark.hardware))
    write_json(folder / STUDY_FILE, {"seed": 0, "families": {"net8": {}}, "datasets": {"digits": {}}})
    (folder / LOG_FILE).write_text("measured\n")
    key = CacheKey("job", {"seed": 0})
    cache.save(key, "a job", folder)
    return JobOutcome("a job", ["family.checkpoint='my model.pt'"], DONE, key.digest)


def test_a_job_that_is_measured_again_is_logged_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for speedup in (1.5, 2.5):
        found = [replace(each, speedup=speedup) for each in rows.job(8)]
        sweep = sweep_results.Sweep("little-1", "little", "command", [keep(tmp_path / "made", found)])
        sweep_runs.log(sweep)
        (run,) = runs(Project(tmp_path), "job")
        assert run.data.metrics["speedup/cpu1/batch1/none/fp32/onnxruntime"] == speedup
        assert run.data.tags["version"] == sweep.jobs[0].version
    assert run.data.tags["command"] == """breakeven-sweep 'family.checkpoint='"'"'my model.pt'"'"''"""
    shutil.rmtree(paths.store())
    sweep_runs.log(sweep)
    (kept,) = runs(Project(tmp_path), "job")  # what was pruned since is still true
    assert (kept.info.status, kept.data.metrics) == ("FINISHED", run.data.metrics)


@pytest.mark.parametrize("launcher", [pytest.param("basic", marks=pytest.mark.slow), "parallel"])
@pytest.mark.slow
def test_a_combination_that_cannot_be_composed_costs_its_job_alone(
    swept: tuple[Project, str], launcher: str
) -> None:
    project, _ = swept
    choices = ["family=cnn,scale_bert_base", "family.model.width=4", f"hydra/launcher={launcher}"]
    done = sweep(project, *choices, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr
    assert statuses(project) == ["cached", "failed"]
    assert "family.model.width=4: the key 'width' is unknown" in record(project)["jobs"][1]["reason"]


@pytest.mark.parametrize(
    ("what", "parts"), [("job", {"family"}), ("hydra", {"hydra"}), ("all", {"family", "hydra"})]
)
def test_the_configuration_of_the_first_job_is_shown(
    swept: tuple[Project, str], what: str, parts: set[str]
) -> None:
    done = sweep(swept[0], "family=cnn,resnet18", "family.model.width=4,5", "-m", "--cfg", what)
    shown = yaml.safe_load(done.stdout)
    assert shown.keys() & {"family", "hydra"} == parts
    if "family" in shown:
        assert shown["family"]["model"]["width"] == 4
    if "hydra" in shown:
        assert "family=cnn" in shown["hydra"]["overrides"]["task"]


@pytest.mark.slow
def test_other_measuring_trains_and_exports_nothing(swept: tuple[Project, str]) -> None:
    project, _ = swept
    before = {kind: entries(project, kind) for kind in ("model", "artifact")}
    done = sweep(project, "family.model.width=4", "measure.rounds=4")
    assert statuses(project) == ["done"] and "taken from" in done.stdout
    assert {kind: entries(project, kind) for kind in before} == before


@pytest.mark.slow
def test_one_batch_more_measures_just_that_and_again_all(swept: tuple[Project, str]) -> None:
    project, _ = swept
    known = "batch 1: as it was measured at "
    more = ("family.model.width=4", "measure.batch_sizes=[1,4]")
    done = sweep(project, *more)
    assert known in done.stdout and "batch 4: as it was measured at" not in done.stdout
    assert "as it was measured at" not in sweep(project, *more, "again=true").stdout


@pytest.mark.slow
def test_the_pipeline_takes_what_a_sweep_made(swept: tuple[Project, str]) -> None:
    project, _ = swept
    model = ("families.cnn.model.width=4", "families.cnn.model.depth=1")
    checks = ("export.min_agreement=0.3", "export.calibration_images=512")
    project.run("breakeven", "compose", "study=tiny", "compression=[]", "quantization=[]", *model, *checks)
    done = project.run("dvc", "repro", "benchmark@cnn-cpu1")
    said = done.stdout + done.stderr
    assert "cnn/none: trained: taken from" in said and "epoch 1" not in said
    assert "cnn on cpu1, batch 1: as it was measured at " in said
    (row,) = (row for row in rows_of(project) if row["variant"] == "none/fp32/onnxruntime")
    measured = [run for run in runs(project, "job") if run.data.params.get("family.model.width") == "4"]
    assert row["family"] == "cnn" and {run.data.params["called"] for run in measured} == {"cnn-width4"}
    name = "speedup/cpu1/batch1/none/fp32/onnxruntime"
    logged = [run.data.metrics[name] for run in measured]  # with four digits
    assert any(value == pytest.approx(row["speedup"], rel=1e-3) for value in logged)


def rows_of(project: Project) -> list[dict]:
    """What `dvc repro` measured."""
    found = json.loads((project.folder / "results/benchmark/cnn-cpu1.json").read_text())
    return [record["row"] for record in found["records"]]


def test_the_analysis_is_a_page_with_its_table(
    swept: tuple[Project, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project, _ = swept
    sweep(project, "family.model.width=4")
    page = project.folder / "docs/sweep.md"
    page.parent.mkdir(exist_ok=True)
    project.run("breakeven", "analyse", "docs/sweep.md")
    text = page.read_text()
    assert "## Speedups over eager fp32" in text and "### On cpu1" in text and "Break-even in calls" in text
    assert len(page.with_suffix(".csv").read_text().splitlines()) == 1 + 3
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(paths, "home", lambda: project.folder)
    assert main.main(["analyse", "docs/sweep.md", "--sweep", "littel"]) == 1
    assert "did you mean" in capsys.readouterr().err


@pytest.mark.slow
def test_a_killed_job_is_recorded_and_only_it_is_done_again(swept: tuple[Project, str]) -> None:
    project, _ = swept
    started = start(project, "family.model.width=8,9")
    os.kill(wait_for(lambda: jobs_of(started.pid))[0], signal.SIGKILL)
    assert started.wait() == 1
    assert statuses(project) == ["failed", "done"]
    assert "SIGKILL" in record(project)["jobs"][0]["reason"]
    sweep(project, "family.model.width=8,9")
    assert statuses(project) == ["done", "cached"]
    both = [run for run in runs(project, "job") if "family.model.width=8" in run.info.run_name]
    assert [run.info.status for run in both] == ["FINISHED"]  # of the one that failed, too


@pytest.mark.slow
def test_a_killed_sweep_takes_its_jobs_with_it_and_repeats_none_that_was_finished(
    swept: tuple[Project, str],
) -> None:
    project, _ = swept
    before = entries(project, "job")
    started = start(project, "family.model.width=10,11,12")
    wait_for(lambda: entries(project, "job") - before)
    (child,) = map(psutil.Process, wait_for(lambda: jobs_of(started.pid)))
    started.kill()
    started.wait()
    wait_for(lambda: is_over(child))
    finished = entries(project, "job") - before
    written = {name: (project.folder / ".breakeven/store/job" / name).stat().st_ctime_ns for name in finished}
    sweep(project, "family.model.width=10,11,12")
    assert statuses(project)[: len(finished)] == ["cached"] * len(finished)
    assert statuses(project)[len(finished) :] == ["done"] * (3 - len(finished))
    for name, time_ns in written.items():
        assert (project.folder / ".breakeven/store/job" / name).stat().st_ctime_ns == time_ns


@pytest.mark.slow
def test_a_killed_sweep_takes_what_joblib_has_started_with_it(swept: tuple[Project, str]) -> None:
    project, _ = swept
    started = start(project, "family.model.width=13,14", "hydra/launcher=parallel")
    workers = psutil.Process(started.pid)
    wait_for(lambda: len([pid for child in workers.children() for pid in jobs_of(child.pid)]) == 2)
    family = workers.children(recursive=True)
    assert len(family) >= 4  # two of joblib's, and a job of each
    started.kill()
    started.wait()
    wait_for(lambda: all(map(is_over, family)), 30)


@pytest.mark.slow
def test_a_sweep_whose_launcher_dies_has_a_record(swept: tuple[Project, str]) -> None:
    project, _ = swept
    started = start(project, "family.model.width=15,17", "hydra/launcher=parallel")
    process = psutil.Process(started.pid)
    wait_for(lambda: [child for child in process.children() if jobs_of(child.pid)])[0].kill()
    assert started.wait() == 1
    assert statuses(project) == ["failed", "failed"]
    assert all("it had not ended when the sweep did" in job["reason"] for job in record(project)["jobs"])
    name = record(project)["name"]
    sweep(project, "family.model.width=15,17", "hydra/launcher=parallel")
    assert (record(project)["name"], statuses(project)) == (name, ["done", "done"])
    assert len([run for run in runs(project, "job") if "width=15" in run.info.run_name]) == 1


@pytest.mark.slow
def test_a_task_that_is_lost_costs_its_job_alone(swept: tuple[Project, str]) -> None:
    project, _ = swept
    started = start(project, "family.model.width=18,19", "hydra/launcher=submitit")
    sweep = psutil.Process(started.pid)

    def tasks() -> list[psutil.Process]:
        return [each for each in sweep.children(recursive=True) if jobs_of(each.pid)]

    wait_for(lambda: len(tasks()) == 2)
    tasks()[0].kill()
    assert started.wait() == 1
    assert sorted(statuses(project)) == ["done", "failed"]
    (failed,) = (job for job in record(project)["jobs"] if job["status"] == "failed")
    assert failed["reason"].startswith("its task ended without a result")


@pytest.mark.slow
def test_queued_experiments_take_what_a_sweep_trained_and_log_to_the_same_store(
    swept: tuple[Project, str],
) -> None:
    project, _ = swept
    sweep(project, "family.model.width=4", "seed=1,2")
    models = entries(project, "model")
    trained, studies = (ids(runs(project, kind)) for kind in ("train", "study"))
    project.commit()
    options = ["study=tiny", "families.cnn.model.width=4", "compression=[]", "quantization=[]", "seed=1,2"]
    project.run("dvc", "exp", "run", "--queue", *(word for option in options for word in ("-S", option)))
    project.run("dvc", "exp", "run", "--run-all")
    assert entries(project, "model") == models and ids(runs(project, "train")) == trained
    new = [run for run in runs(project, "study") if run.info.run_id not in studies]
    assert {run.data.params["seed"] for run in new} == {"1", "2"}
    assert len({run.data.tags["dvc.experiment"] for run in new}) == 2
    nested = [run.data.tags["mlflow.parentRunId"] for run in runs(project, "benchmark")]
    assert [nested.count(run) for run in ids(new)] == [3, 3]  # two variants and the twin
    # and each study names the run of the sweep's own training
    assert {run.data.tags["mlflow.breakeven.model.cnn.none"] for run in new} <= trained


def start(project: Project, *overrides: str) -> subprocess.Popen[bytes]:
    """A sweep that goes on while the test does."""
    return subprocess.Popen(
        [sys.executable, "-m", "breakeven.pipeline.sweep.main", "study=little", *overrides],
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(look, seconds: float = 180):  # type: ignore[no-untyped-def]
    """What `look` finds, as soon as there is something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def jobs_of(process: int) -> list[int]:
    """The processes of a sweep's jobs."""
    try:
        found = psutil.Process(process).children()
        return [child.pid for child in found if "breakeven.pipeline.sweep.job_main" in child.cmdline()]
    except psutil.Error:
        return []


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["parallel", "submitit"])
def test_eight_jobs_side_by_side_on_a_fresh_store(tmp_path: Path, launcher: str) -> None:
    project = fresh(tmp_path)
    widths = "family.model.width=4,0,5,6,7,8,9,10"  # one of them cannot be
    done = sweep(project, widths, f"hydra/launcher={launcher}", check=False)
    assert done.returncode == 1
    assert statuses(project) == ["done", "failed", *["done"] * 6], done.stdout + done.stderr
    assert len(runs(project, "job")) == 8 and len(runs(project, "sweep")) == 1
    # the training of the one that cannot be is there, too
    assert sorted(run.info.status for run in runs(project, "train")) == ["FAILED", *["FINISHED"] * 7]


@pytest.mark.slow
def test_two_jobs_that_need_the_same_model_train_it_once(tmp_path: Path) -> None:
    project = fresh(tmp_path)
    done = sweep(project, "measure.rounds=3,4", "hydra/launcher=parallel")
    assert statuses(project) == ["done", "done"], done.stdout + done.stderr
    assert len(runs(project, "train")) == 1 and len(entries(project, "model")) == 1


@pytest.mark.slow
def test_a_text_model_is_measured_untrained(tmp_path: Path) -> None:
    project = fresh(tmp_path, LITTLE.replace("  train: {epochs: 2, lr: 0.05}\n", ""))
    small = ["+family.model.hidden_size=32", "+family.model.num_hidden_layers=1", "+data.length=16"]
    small += ["+family.model.num_attention_heads=2", "~family.model.depth", "family=scale_bert_base"]
    sweep(project, *small)
    project.run("breakeven", "analyse", "results/text.md")
    rows = list(csv.DictReader((project.folder / "results/text.csv").read_text().splitlines()))
    assert {row["trained"] for row in rows} == {"false"} and {row["accuracy"] for row in rows} == {""}
    assert any(row["runtime"] == "onnxruntime" and row["speedup"] for row in rows)
    assert not any(row["pareto"] == "true" for row in rows)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["family=cnm"], "did you mean 'cnn'"),
        pytest.param(["family=cnm,resnet19"], "did you mean 'cnn'", marks=pytest.mark.slow),
        pytest.param(["family.model.widht=4"], "did you mean 'width'", marks=pytest.mark.slow),
        (["family=cnn,resnet18", "family.model.widht=4"], "did you mean 'width'"),
        (["hydra/launcher=slurm"], "srun" if not shutil.which("sbatch") else "the cluster refused the jobs"),
    ],
)
def test_a_wrong_word_gets_a_sentence(swept: tuple[Project, str], wrong: list[str], said: str) -> None:
    records = swept[0].folder / ".breakeven/sweeps"
    before = {path: path.stat().st_mtime_ns for path in records.iterdir()}
    done = sweep(swept[0], *wrong, check=False)
    assert done.returncode == 1 and said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert {path: path.stat().st_mtime_ns for path in records.iterdir()} == before
