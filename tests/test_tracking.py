"""MLflow: a store that is down costs a warning, and parallel first use loses nothing."""

import subprocess
import sys

import pytest
from conftest import Project
from mlflow import MlflowClient

from breakeven import paths, tracking

pytestmark = pytest.mark.timeout(300)
DEAD = "http://127.0.0.1:9"  # the discard port: nobody listens


def test_an_unreachable_server_costs_one_warning_a_stage_and_sync_makes_up_for_it(project: Project) -> None:
    project.run("breakeven", "compose", "study=tiny", "seed=9", "runtime=[eager]", "quantization=[]")
    # MLflow alone would retry for four minutes a stage, which is the timeout of this test.
    done = project.run("dvc", "repro", MLFLOW_TRACKING_URI=DEAD)
    everything = {"compose", "train@cnn", "compress@cnn-prune50", "export@cnn", "quantize@cnn"}
    assert project.stages(done.stdout) == everything | {"benchmark@cnn-cpu1", "report"}
    told = "warning: MLflow at http://127.0.0.1:9 cannot be used"
    assert done.stderr.count(told) == 3  # train, compress, report
    assert "prune50/fp32/eager" in done.stdout
    assert '"seed": 9' in (project.folder / "models/cnn/none/model.json").read_text()
    failed = project.run("breakeven", "sync", check=False, MLFLOW_TRACKING_URI=DEAD)
    assert failed.returncode == 1 and "does not answer" in failed.stderr and "Traceback" not in failed.stderr
    # the study, two models, and each of them in eager mode, with the twin
    assert "6 of them new" in project.run("breakeven", "sync").stdout


def test_parallel_first_use_of_a_fresh_store_loses_nothing(tmp_path: object) -> None:
    code = (
        "import sys; from breakeven import tracking\n"
        "with tracking.live(f'run {sys.argv[1]}', sys.argv[1], {'kind': 'test'}, {'a': 1}) as log:\n"
        "    [log({'epoch': i, 'loss': i}) for i in range(3)]"
    )
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(number)],
            cwd=str(tmp_path),
            stderr=subprocess.PIPE,
            env=Project(paths.Path(str(tmp_path))).environment(PYTHONPATH=str(paths.Path("src").resolve())),
        )
        for number in range(4)
    ]
    warnings = [job.communicate()[1].decode() for job in jobs]
    assert all("warning" not in text for text in warnings), warnings
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("breakeven")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 4 and {run.info.status for run in runs} == {"FINISHED"}
    assert all(run.data.metrics["loss"] == 2 for run in runs)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_an_interrupted_run_does_not_stay_running(
    error: type[BaseException], tmp_path: paths.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(error), tracking.live("x", "key", {"kind": "test"}, {}):
        raise error
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("breakeven").experiment_id])
    assert run.info.status == ("FAILED" if error is ValueError else "KILLED")


def test_a_queued_experiment_finds_the_main_repository(
    monkeypatch: pytest.MonkeyPatch, tmp_path: paths.Path
) -> None:
    worktree = tmp_path / "repo/.dvc/tmp/exps/tmpabc"
    worktree.mkdir(parents=True)
    monkeypatch.setenv("DVC_ROOT", str(worktree))
    paths.home.cache_clear()
    try:
        assert paths.home() == tmp_path / "repo"
    finally:
        paths.home.cache_clear()
