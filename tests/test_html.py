"""The report needs nothing else, says the answer first, and leaves the data of each chart as CSV."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rows import BASELINE, TWIN, benchmark, row

from breakeven.recommend import Limits
from breakeven.records import Records
from breakeven.report import html, summary

FAST = row("none/int8-static/openvino", speedup=8.0, latency_ms_p50=0.25, artifact_mb=1.0)
LOST = row(
    "none/fp32/tensorrt", "unsupported", latency_ms_p50=None, speedup=None, reason="no <GPU> & no wheel"
)
FORBIDDEN = (
    r"""(?:src|href)=["']?(?:https?:)?//|@import|url\(\s*["']?(?!data:)"""  # what would need the network
)


def write(folder: Path, rows: list, **more: object) -> str:
    limits = Limits(max_accuracy_drop=1.0)
    found = Records([], [benchmark(rows, **more)])
    marked = summary.rows(found.benchmarks, limits)
    html.write(folder / "report.html", folder / "plots", "quick", ["study=quick"], found, marked, limits)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("report")
    return folder, write(folder, [BASELINE, TWIN, FAST, LOST])


def drawings(text: str) -> dict:
    found = re.search(r'id="drawings">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def named(node: object) -> list[str]:
    """The data that a drawing refers to by name."""
    if isinstance(node, list):
        return [name for each in node for name in named(each)]
    if not isinstance(node, dict):
        return []
    own = [node["data"]["name"]] if isinstance(node.get("data"), dict) and "name" in node["data"] else []
    return own + [name for key, each in node.items() if key != "datasets" for name in named(each)]


def test_the_answer_comes_first(page: tuple[Path, str]) -> None:
    body = page[1].partition("<main>")[2]
    answer = body.partition('<div class="charts">')[0]
    assert '<p class="pick">none/int8-static/openvino</p>' in answer and "8.00x as fast" in answer


def test_nothing_is_loaded_from_elsewhere(page: tuple[Path, str]) -> None:
    ours = re.sub(r"<script>.*?</script>", "", page[1], flags=re.DOTALL)
    assert not re.findall(FORBIDDEN, ours)
    assert len(re.findall(r"<script>", page[1])) == 2


def test_what_a_row_says_cannot_break_the_page(page: tuple[Path, str]) -> None:
    assert "no &lt;GPU&gt; &amp; no wheel" in page[1] and "no <GPU>" not in page[1]


def test_each_chart_has_its_data_beside_it(page: tuple[Path, str]) -> None:
    folder, text = page
    found = drawings(text)
    assert {name.rpartition("-")[2] for name in found} == {
        *("speedup", "accuracy", "calls", "cold", "latency", "memory")
    }
    for name, drawing in found.items():
        with (folder / "plots" / f"{name}.csv").open(encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        assert len(lines) == len(drawing["datasets"]["table"]) > 0
        assert set(named(drawing)) <= drawing["datasets"].keys()
        assert f'id="{name}"' in text and f'data-chart="{name}"' in text


def test_a_few_images_are_said_to_be_few(tmp_path: Path) -> None:
    text = write(tmp_path, [BASELINE, TWIN, FAST], images=360)
    assert "cannot rule out a drop of less than 1.1 points" in text


def test_nothing_measured_is_a_page_too(tmp_path: Path) -> None:
    failed = replace(BASELINE, verdict="failed", latency_ms_p50=None, speedup=None)
    text = write(tmp_path, [failed])
    assert "no recommendation" in text and drawings(text) == {}


def test_several_batches_have_a_chart(tmp_path: Path) -> None:
    rows = [
        replace(
            each, batch_size=size, scenario="batch" if size > 1 else "single_stream", throughput_per_s=500.0
        )
        for size in (1, 8)
        for each in (BASELINE, FAST)
    ]
    assert any(name.endswith("-batch") for name in drawings(write(tmp_path, rows)))


def test_four_hundred_rows_fit_in_six_megabytes(tmp_path: Path) -> None:
    rows = [BASELINE, *(row(f"none/fp32/r{number}", speedup=1 + number / 100) for number in range(400))]
    write(tmp_path, rows)
    assert (tmp_path / "report.html").stat().st_size < 6e6
