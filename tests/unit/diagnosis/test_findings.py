"""What passes are worth is said in sentences, drawn, and logged to MLflow."""

from pathlib import Path

import pytest

from breakeven.core import paths
from breakeven.diagnosis import findings, log
from breakeven.diagnosis.climb import Climbed
from breakeven.diagnosis.ladder import Rung
from breakeven.engine.statistics import Interval
from breakeven.tracking.client import Tracker

TRACE, FOLD, LAYOUT = Rung("trace", "as traced"), Rung("fold", "folds", "trace"), Rung("layout", "x", "fold")
CLIMBED = [
    Climbed(TRACE, nodes={"conv": 2}, us=100.0, over_eager=Interval(1.6, 1.5, 1.7)),
    Climbed(FOLD, us=80.0, gain=Interval(1.25, 1.2, 1.3), over_eager=Interval(2.0, 1.9, 2.1)),
    Climbed(LAYOUT, us=160.0, gain=Interval(0.5, 0.4, 0.6), over_eager=Interval(1.0, 0.9, 1.1)),
    Climbed(Rung("same", "x", "fold"), us=80.0, gain=Interval(1.0, 0.98, 1.02)),
    Climbed(Rung("fuse", "x", "fold"), "this build has none"),
]


def test_sentences_say_what_gains_what_loses_and_what_was_not_timed() -> None:
    assert list(findings.sentences(CLIMBED)) == [
        "trace alone, as traced, is 1.60x (1.50 to 1.70) as fast as eager.",
        "fold makes it surely faster: 1.25x (1.20 to 1.30) as fast as trace.",
        "layout makes it surely slower: 0.50x (0.40 to 0.60) as fast as fold.",
        "No gain or loss was seen of same.",
        "fuse was not timed: this build has none.",
    ]


def test_the_picture_has_each_pass_that_was_timed() -> None:
    drawn = findings.section("cnn", "torchscript", "TorchScript", CLIMBED)
    (chart,) = drawn.charts
    assert [point["pass"] for point in chart.data] == [
        "trace, over eager",
        "fold, over trace",
        "layout, over fold",
        "same, over fold",
    ]
    assert drawn.name == "passes-cnn-torchscript" and "fold, over trace: 1.25x" in chart.summary


def test_mlflow_has_a_run_with_gains_and_graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    graph = tmp_path / "0-trace.txt"
    graph.write_text("graph(%x):")
    for _ in range(2):  # safe to repeat
        log.log("cnn", "torchscript", CLIMBED, ["One sentence."], [graph])
    tracker = Tracker()
    (run,) = tracker.client.search_runs([tracker.experiment])
    assert run.info.run_name == "cnn · passes of torchscript"
    assert run.data.metrics["gain/fold"] == 1.25 and run.data.metrics["nodes/trace"] == 2
    assert run.data.tags["mlflow.note.content"] == "- One sentence."
