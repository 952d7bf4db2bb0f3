"""What passes are worth is kept in a record, said in sentences, drawn in the report, and logged to MLflow."""

from pathlib import Path

import pytest
from time_profiles import profile

from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.engine.statistics import Interval
from breakeven.report import extra_sections, ladder_section, time_sections
from breakeven.report.extra_sections import ExtraSection
from breakeven.results import explain_record, ladder_record
from breakeven.results.explain_record import ExplainRecord
from breakeven.results.ladder_record import Climbed, LadderRecord, Rung
from breakeven.tracking import ladder_runs
from breakeven.tracking.client import Tracker

TRACE, FOLD, LAYOUT = Rung("trace", "as traced"), Rung("fold", "folds", "trace"), Rung("layout", "x", "fold")
CLIMBED = [
    Climbed(TRACE, nodes={"conv": 2}, us=100.0, over_eager=Interval(1.6, 1.5, 1.7)),
    Climbed(FOLD, us=80.0, gain=Interval(1.25, 1.2, 1.3), over_eager=Interval(2.0, 1.9, 2.1)),
    Climbed(LAYOUT, us=160.0, gain=Interval(0.5, 0.4, 0.6), over_eager=Interval(1.0, 0.9, 1.1)),
    Climbed(Rung("same", "x", "fold"), us=80.0, gain=Interval(1.0, 0.98, 1.02)),
    Climbed(Rung("fuse", "x", "fold"), "this build has none"),
]

LADDER = LadderRecord("cnn", "torchscript", "TorchScript", CLIMBED)
STUDY = Study.model_construct(families={"cnn": None}, hardware={"cpu1": {}})  # what is read of it


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def explained(ladder: LadderRecord | None) -> ExtraSection:
    """The section of the report on the variant to deploy, from a record on disk."""
    chosen = profile("none/fp32/torchscript", 50.0, Conv=30.0)
    record = ExplainRecord("cnn", "cpu1", 1, [profile(Conv=60.0), chosen], ladder=ladder)
    record.write(paths.explained("cnn", "cpu1"))
    assert explain_record.read_explained(paths.explained("cnn", "cpu1")) == record
    (section,) = time_sections.sections(STUDY, [])
    return section


def test_sentences_say_what_gains_what_loses_and_what_was_not_timed() -> None:
    assert list(ladder_record.sentences(CLIMBED)) == [
        "trace alone, as traced, is 1.60x (1.50 to 1.70) as fast as eager.",
        "fold makes it surely faster: 1.25x (1.20 to 1.30) as fast as trace.",
        "layout makes it surely slower: 0.50x (0.40 to 0.60) as fast as fold.",
        "No gain or loss was seen of same.",
        "fuse was not timed: this build has none.",
    ]


def test_the_picture_has_each_pass_that_was_timed() -> None:
    drawn = ladder_section.section(LADDER)
    (chart,) = drawn.charts
    assert [point["pass"] for point in chart.data] == [
        "trace, over eager",
        "fold, over trace",
        "layout, over fold",
        "same, over fold",
    ]
    assert drawn.name == "passes-cnn-torchscript" and "fold, over trace: 1.25x" in chart.summary


def test_a_recorded_ladder_stands_with_the_variant_to_deploy_and_once(folder: Path) -> None:
    section = explained(LADDER)
    said = "\n".join(section.sentences)
    assert "passes of TorchScript were measured one by one, for none/fp32 and 1 input a call" in said
    assert "fold makes it surely faster: 1.25x" in said
    assert [chart.name for chart in section.charts] == ["explain-cnn-cpu1", "passes-cnn-torchscript"]
    other = LadderRecord("cnn", "onnxruntime", "ONNX Runtime", CLIMBED)
    for typed in (LADDER, other):
        extra_sections.save(ladder_section.section(typed))
    assert [each.name for each in extra_sections.saved([section])] == ["passes-cnn-onnxruntime"]
    assert len(extra_sections.saved([explained(None)])) == 2


def test_why_there_is_no_ladder_is_one_sentence(folder: Path) -> None:
    section = explained(LadderRecord("cnn", "openvino", reason="passes can be told apart elsewhere only"))
    assert section.sentences[-1] == (
        "The passes of its compiler were not measured one by one: passes can be told apart elsewhere only."
    )
    assert len(section.charts) == 1


def test_mlflow_has_a_run_with_gains_and_graphs(folder: Path) -> None:
    graph = folder / "0-trace.txt"
    graph.write_text("graph(%x):")
    for _ in range(2):  # safe to repeat
        ladder_runs.log(LADDER, [graph])
    tracker = Tracker()
    (run,) = tracker.client.search_runs([tracker.experiment])
    assert run.info.run_name == "cnn · passes of torchscript"
    assert run.data.metrics["gain/fold"] == 1.25 and run.data.metrics["nodes/trace"] == 2
    assert "- fold makes it surely faster" in run.data.tags["mlflow.note.content"]


def test_mlflow_has_a_run_in_the_studys_for_a_recorded_ladder(folder: Path) -> None:
    explained(LADDER)
    tracker = Tracker()
    parent = tracker.obtain("study tiny", "key", {})
    assert ladder_runs.log_recorded(tracker, STUDY, parent, {"study": "tiny"}) == (1, 1)
    assert ladder_runs.log_recorded(tracker, STUDY, parent, {"study": "tiny"}) == (1, 0)
    (run,) = tracker.children(parent).values()
    assert run.data.tags["hardware"] == "cpu1" and run.data.metrics["gain/fold"] == 1.25
