"""A study of captures is a run in MLflow, with a run for each way nested in it."""

from pathlib import Path

import pytest
from capture_costs import COSTS

from breakeven.capture import log
from breakeven.capture.outcome import Outcome
from breakeven.core import paths
from breakeven.tracking.client import Tracker

OUTCOMES = [
    Outcome("gate", "jit_trace", "wrong", "it differs"),
    Outcome("plain", "jit_trace", "right", graphs=1),
    Outcome("gate", "jit_script", "right", graphs=1),
    Outcome("plain", "jit_script", "right", graphs=1),
]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    file = tmp_path / "capture.md"
    file.write_text("# Captures")
    return file


def test_the_study_and_its_ways_are_runs_and_a_second_log_adds_none(page: Path) -> None:
    for _ in range(2):
        log.log({"idioms": OUTCOMES}, COSTS, [page], ["A trace drops a branch."])
    tracker = Tracker()
    runs = tracker.client.search_runs([tracker.experiment])
    (study,) = (run for run in runs if run.data.tags["kind"] == log.KIND)
    ways = {run.data.tags["way"]: run for run in runs if run.data.tags["kind"] == "capture"}
    assert len(runs) == 3 and {*ways} == {"jit_trace", "jit_script"}
    assert study.data.tags["answer"] == "A trace drops a branch."
    assert study.data.metrics["break_us/cnn"] == 20.0
    assert study.data.metrics["compile_parts_over_whole/cnn"] == 2.5
    assert ways["jit_trace"].data.metrics["idioms/silently_wrong"] == 0.5
    assert ways["jit_script"].data.metrics["idioms/right"] == 1.0
    kept = page.parent / "mlartifacts" / "breakeven" / study.info.run_id / "artifacts" / page.name
    assert kept.read_text() == page.read_text()
