"""Sections that other commands leave stand on the report's page, and change its version."""

from pathlib import Path

import pytest
from rows import BASELINE, TWIN, benchmark, row

from breakeven.core import paths
from breakeven.report import extra_sections, html_page
from breakeven.report.extra_sections import ExtraSection
from breakeven.report.vega import Chart
from breakeven.results import extra_files
from breakeven.results.limits import Limits
from breakeven.results.study_results import StudyResults

CHART = Chart("idioms", "Idioms by ways", "= right.", [{"model": "gate", "sign": "X"}], {"mark": "text"})
ROWS = [BASELINE, TWIN, row("none/int8-static/openvino", speedup=8.0)]
SECTION = ExtraSection("capture", "Who captures a model", ["A trace drops a branch."], [CHART])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "private", lambda: tmp_path)
    return tmp_path


def test_a_saved_section_comes_back_as_it_was_and_has_a_version(folder: Path) -> None:
    assert list(extra_sections.saved()) == [] and extra_files.versions() == {}
    extra_sections.save(SECTION)
    assert list(extra_sections.saved()) == [SECTION]
    before = extra_files.versions()
    extra_sections.save(ExtraSection("capture", "Who captures a model", [], []))
    assert [*before] == ["section capture"] and extra_files.versions() != before


def test_the_page_has_the_section_its_sentences_and_its_charts(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    html_page.write(
        page, tmp_path, "s", [], StudyResults([], [benchmark(ROWS)]), ROWS, Limits(), extra=[SECTION]
    )
    text = page.read_text()
    assert '<section id="capture"' in text and "<li>A trace drops a branch.</li>" in text
    assert 'id="capture-idioms"' in text and '<a href="#capture">Who captures a model</a>' in text
    assert (tmp_path / "capture-idioms.csv").read_text() == "model,sign\ngate,X\n"
