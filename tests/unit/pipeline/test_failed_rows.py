"""What failed is found in each stage's output, once, and is counted."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import rows

from breakeven.artifacts.artifact import MANIFEST, Artifact
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.files import write_json
from breakeven.engine.samples import FAILED, OK, UNSUPPORTED
from breakeven.pipeline.failed_rows import ATTEMPT, attempts, failed_stages
from breakeven.results.explain_record import ExplainRecord
from breakeven.results.served import ServedRecord
from breakeven.results.time_profile import ProfileRecord

STUDY = Study.model_construct(families={"cnn": None}, compressions={"half": {}}, hardware={"cpu1": {}})


def made(recipe: str, runtime: str, status: str, stage: str = "export") -> None:
    values = dict.fromkeys(Artifact.__dataclass_fields__) | {
        "family": "cnn",
        "recipe": recipe,
        "precision": "fp32",
        "runtime": runtime,
        "quantization": "",
        "status": status,
        "reason": "" if status == OK else "a reason",
    }
    folder = paths.artifacts(stage, "cnn") / f"{recipe}-{runtime}"
    write_json(folder / MANIFEST, asdict(Artifact(**values)))


def measured(**verdicts: str) -> None:
    found = [
        rows.BASELINE,
        rows.TWIN,
        *(rows.row(f"none/fp32/{name}", each) for name, each in verdicts.items()),
    ]
    rows.benchmark(found).write(paths.benchmark("cnn", "cpu1"))


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study without a fault."""
    monkeypatch.chdir(tmp_path)
    for recipe in ("none", "half"):
        write_json(paths.model("cnn", recipe) / "model.json", {"failed": False})
        made(recipe, "eager", OK)
    made("none", "other", UNSUPPORTED)
    measured(other="unsupported")


def test_what_is_unsupported_is_not_tried_again() -> None:
    assert [*failed_stages(STUDY)] == [] and attempts(STUDY) == {}


@pytest.mark.parametrize("failed", [True, False])
def test_a_profile_that_failed_is_tried_again(failed: bool) -> None:
    ProfileRecord("cnn", "cpu1", 1, None, [], "a reason", failed).write(
        paths.profile("cnn", "cpu1") / paths.PROFILE_FILE
    )
    ExplainRecord("cnn", "cpu1", 1, [], "a reason", failed).write(paths.explained("cnn", "cpu1"))
    assert {*failed_stages(STUDY)} == ({"profile/cnn-cpu1", "explain/cnn-cpu1"} if failed else set())


def test_a_row_that_failed_runs_its_stage_again_and_no_later_one() -> None:
    made("none", "other", FAILED)
    measured(other="failed")
    assert [*failed_stages(STUDY)] == ["export/cnn"]
    made("none", "other", OK)
    assert [*failed_stages(STUDY)] == ["benchmark/cnn-cpu1"]
    write_json(paths.model("cnn", "half") / "model.json", {"failed": True})
    made("half", "eager", FAILED)
    measured(other="faster")
    assert [*failed_stages(STUDY)] == ["compress/cnn-half"]
    made("none", "static", FAILED, "quantize")
    assert {*failed_stages(STUDY)} == {"compress/cnn-half", "quantize/cnn"}


def test_a_count_grows_with_each_failure_and_stays_after_it() -> None:
    for count in (1, 2):
        made("none", "other", FAILED)
        assert attempts(STUDY) == {"export/cnn": count}
        write_json(paths.fetched("code/export/cnn"), {"a.module": "digest", ATTEMPT: f"{count}"})
        made("none", "other", OK)
        assert attempts(STUDY) == {"export/cnn": count}, "or a stage that succeeded would run again"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"attempt": null}', '{"attempt": "x"}'])
def test_a_damaged_file_counts_nothing(text: str) -> None:
    path = paths.fetched("code/export/cnn")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    for output in (paths.benchmark("cnn", "cpu1"), paths.model("cnn", "half") / "model.json"):
        output.write_text(text + json.dumps("failed"))
    assert attempts(STUDY) == {}


@pytest.mark.parametrize("failed", [True, False])
def test_a_service_that_failed_is_tried_again(failed: bool) -> None:
    reason = "it does not start"
    ServedRecord("cnn", "cpu1", "", 10.0, 3.0, [], None, reason, failed).write(
        paths.served("cnn") / "cpu1.json"
    )
    assert {*failed_stages(STUDY)} == ({"serve/cnn"} if failed else set())
