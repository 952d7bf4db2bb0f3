"""The stage `explain` climbs the ladder of what is to be deployed, if the study asks for it."""

import pytest
from project import Project
from time_profiles import profile

from breakeven.artifacts.artifact import BASELINE
from breakeven.config import schema
from breakeven.core import paths
from breakeven.pipeline.stages import explain
from breakeven.report import time_sections
from breakeven.results.explain_record import read_explained
from breakeven.results.time_profile import ProfileRecord

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_the_ladder_is_that_of_fp32_in_the_runtime_to_deploy(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.run("breakeven", "compose", "study=tiny", "profile=true", "ladder=true")
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(explain, "variant_to_deploy", lambda *_: "none/int8-static/onnxruntime")
    before = ProfileRecord("cnn", "cpu1", 1, profile(BASELINE, Conv=60.0), [])
    before.write(paths.profile("cnn", "cpu1") / paths.PROFILE_FILE)
    explain.explain("cnn", "cpu1")
    found = read_explained(paths.explained("cnn", "cpu1"))
    assert found.ladder and not found.failed and not found.ladder.reason
    assert [each.rung.name for each in found.ladder.climbed] == [
        "raw",
        "exported",
        "basic",
        "extended",
        "all",
    ]
    assert all(each.over_eager and not each.reason for each in found.ladder.climbed)
    study = schema.read_study()
    (chart,) = [
        chart
        for section in time_sections.sections(study, [])
        for chart in section.charts
        if chart.name == "passes-cnn-onnxruntime"
    ]
    assert len(chart.data) == 5
