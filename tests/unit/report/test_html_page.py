"""The report needs nothing else, says the answer first, and leaves the data of each chart as CSV."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rows import BASELINE, GROWTH, TWIN, benchmark, job, row, sweep

from breakeven.report import html_page
from breakeven.report.sweep_charts import SweepSection
from breakeven.results import summary
from breakeven.results.limits import Limits
from breakeven.results.study_results import StudyResults

FAST = row("none/int8-static/openvino", speedup=8.0, latency_ms_p50=0.25, artifact_mb=1.0)
LOST = row(
    "none/fp32/tensorrt", "unsupported", latency_ms_p50=None, speedup=None, reason="no <GPU> & no wheel"
)
FORBIDDEN = (
    r"""(?:src|href)=["']?(?:https?:)?//|@import|url\(\s*["']?(?!data:)"""  # what would need the network
)


def write(folder: Path, rows: list, **more: object) -> str:
    limits = Limits(max_accuracy_drop=1.0)
    found = StudyResults([], [benchmark(rows, **more)])
    marked = summary.rows(found.benchmarks, limits)
    html_page.write(folder / "report.html", folder / "plots", "quick", ["study=quick"], found, marked, limits)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("report")
    return folder, write(folder, [BASELINE, TWIN, FAST, LOST])


def swept(folder: Path, *sections: SweepSection) -> str:
    """The page of the study with sweeps beside it."""
    found, limits = StudyResults([], [benchmark([BASELINE, TWIN, FAST])]), Limits(max_accuracy_drop=1.0)
    marked = summary.rows(found.benchmarks, limits)
    html_page.write(folder / "report.html", folder / "plots", "quick", [], found, marked, limits, sections)
    return (folder / "report.html").read_text(encoding="utf-8")


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
    plain = re.sub(r"<[^>]+>", "", answer)
    assert "Deploy none/int8-static/openvino" in plain and "8.00x as fast as PyTorch eager" in plain
    assert "from 2 to 0.25 ms a call" in plain
    assert (
        "Paid back after 100 calls: a call saves 1.75 ms on average, and build and start take 0.175 s"
        in plain
    )


def test_nothing_is_loaded_from_elsewhere(page: tuple[Path, str]) -> None:
    ours = re.sub(r"<script>.*?</script>", "", page[1], flags=re.DOTALL)
    assert not re.findall(FORBIDDEN, ours)
    assert len(re.findall(r"<script>", page[1])) == 2


def test_what_a_row_says_cannot_break_the_page(page: tuple[Path, str]) -> None:
    assert "no &lt;GPU&gt; &amp; no wheel" in page[1] and "no <GPU>" not in page[1]


def test_each_chart_has_its_data_beside_it(page: tuple[Path, str]) -> None:
    folder, text = page
    assert {name.rpartition("-")[2] for name in drawings(text)} == {
        *("speedup", "accuracy", "calls", "cold", "latency")
    }
    require_data(folder, text)


def require_data(folder: Path, text: str) -> None:
    """Each drawing has its place, its data, and the same beside the page."""
    for name, drawing in drawings(text).items():
        with (folder / "plots" / f"{name}.csv").open(encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        assert len(lines) == len(drawing["datasets"]["table"]) > 0
        assert set(named(drawing)) <= drawing["datasets"].keys()
        assert f'id="{name}"' in text and f'data-chart="{name}"' in text


def test_the_variants_that_are_paid_back_soonest_are_drawn_and_the_rest_is_counted(tmp_path: Path) -> None:
    quick = row("prune50/fp32/eager", speedup=1.2, breakeven_calls="20")
    fast = [row(f"none/fp32/r{n}", speedup=2.0 + n, breakeven_calls=f"{5000 + n}") for n in range(12)]
    text = write(tmp_path, [BASELINE, TWIN, quick, *fast])
    (drawn,) = (chart for name, chart in drawings(text).items() if name.endswith("-calls"))
    names = {point["variant"] for point in drawn["datasets"]["table"]}
    assert {"none/fp32/eager", "prune50/fp32/eager", "none/fp32/r11"} <= names and len(names) == 5
    assert "Left out, so that lines can be told apart: 9 more." in text


def test_a_card_says_what_is_paid_back_with_and_without_the_training(tmp_path: Path) -> None:
    best = row(
        "prune50/fp32/eager",
        **{
            "speedup": 3.0,
            "breakeven_calls": "20600",
            "breakeven_calls_without_training": "28",
            "train_s": 9.0,
        },
    )
    text = write(tmp_path, [BASELINE, TWIN, best])
    paid = "a call saves 1.33 ms on average, and training, build and start take 27.5 s"
    assert f"Paid back after 20,600 calls: {paid}; after 28 calls if the training is not counted" in text
    assert "20,600; 28 without training" in text  # the table


def test_a_card_says_what_it_ties_with_and_that_there_are_warnings(tmp_path: Path) -> None:
    wide = {"speedup_ci_low": 5.7, "speedup_ci_high": 13.8}
    near = row("none/fp32/onnxruntime", speedup=8.8, speedup_ci_low=5.6, speedup_ci_high=9.0)
    far = row("none/fp32/torchscript", speedup=1.5)
    warning = {"scenario": "batch 1", "name": "few replicates", "text": "t", "remedy": "r"}
    best = row("none/int8-static/openvino", speedup=8.86, **wide)
    text = write(tmp_path, [BASELINE, TWIN, best, near, far], warnings=[warning])
    card = text.partition('<article class="answer">')[2].partition("</article>")[0]
    doubts = re.findall(r'<p class="doubts">(.*?)</p>', card)
    assert [re.sub(r"<[^>]+>", "", doubt) for doubt in doubts] == [
        "Careful: none/fp32/onnxruntime may be as fast.",
        "Careful: the speedup is imprecise (±56%).",
    ]
    assert "Measured 5 times, each in fresh processes" in card
    assert '<a href="#cnn-cpu1-batch1">1 warning</a> on this run' in card


def test_axes_end_where_values_can_be(tmp_path: Path) -> None:
    sure = row("none/fp32/onnxruntime", speedup=8.0, score=0.999, score_delta=0.099)
    text = write(tmp_path, [BASELINE, TWIN, replace(sure, score_delta_ci_high=0.12)])
    drawn = {name.rpartition("-")[2]: chart for name, chart in drawings(text).items()}
    highs = [point["high"] for point in drawn["accuracy"]["datasets"]["table"] if point["high"]]
    assert max(highs) == 100
    domains = re.findall(r'"domain": \[([\d.]+), ([\d.]+)\]', json.dumps(drawn["accuracy"]))
    assert domains and all(float(high) <= 100 for _, high in domains)


def test_a_few_images_are_said_to_be_few(tmp_path: Path) -> None:
    text = write(tmp_path, [BASELINE, TWIN, FAST], images=360)
    assert "cannot rule out a drop of less than 1.1 points" in text


def test_nothing_measured_is_a_page_too(tmp_path: Path) -> None:
    failed = replace(BASELINE, verdict="failed", latency_ms_p50=None, speedup=None)
    text = write(tmp_path, [failed])
    assert "No recommendation: nothing was measured here." in text and drawings(text) == {}


def test_the_table_of_candidates_says_why_the_fastest_was_not_chosen(tmp_path: Path) -> None:
    lossy = row("prune50/fp32/openvino", speedup=9.0, score_delta_ci_low=-0.04)
    text = write(tmp_path, [BASELINE, TWIN, FAST, lossy])
    cards = text.partition('<table class="candidates">')[2].partition("</table>")[0]
    assert re.findall(r'class="role">(.*?)<', cards) == ["chosen", "next best", "fastest", "baseline"]
    assert "Not chosen: the drop in accuracy may be 4 points (the limit is 1)." in cards


def test_each_part_of_a_name_is_explained_where_it_stands(page: tuple[Path, str]) -> None:
    assert '<abbr title="not compressed">none</abbr>/<wbr>' in page[1]
    assert '<abbr title="OpenVINO">openvino</abbr>' in page[1]
    legend = page[1].partition('<dl class="names">')[2].partition("</dl>")[0]
    assert "<b>int8-static</b> computed in 8-bit integers" in legend


def test_a_chart_says_in_words_what_it_shows(page: tuple[Path, str]) -> None:
    said = re.findall(r'role="img" aria-label="(.*?)"', page[1])
    assert said[0].startswith("Speedup, with its interval. 2 variants, from 1.00x (twin) to 8.00x (none/int8")
    assert "Not beaten in both: none/int8-static/openvino: 90.00% in 0.25 ms." in said[1]
    assert len(set(re.findall(r'class="data" .*? aria-label="(.*?)"', page[1]))) == len(said)


def test_legends_have_only_what_is_drawn(page: tuple[Path, str]) -> None:
    drawn = {name.rpartition("-")[2]: json.dumps(chart) for name, chart in drawings(page[1]).items()}
    assert '"domain": ["faster", "twin"]' in drawn["speedup"]
    assert '"domain": ["faster", "baseline"]' in drawn["accuracy"]


def test_points_on_the_front_have_names_and_every_layer_its_figures(page: tuple[Path, str]) -> None:
    (chart,) = (chart for name, chart in drawings(page[1]).items() if name.endswith("-accuracy"))
    texts = [layer for layer in chart["layer"] if layer["mark"]["type"] == "text"]
    named = [point["variant"] for layer in texts for point in chart["datasets"][layer["data"]["name"]]]
    assert named == ["none/int8-static/openvino"]
    marks = [layer for layer in chart["layer"] if layer["mark"]["type"] in ("point", "rule")]
    assert len(marks) == 4 and all(layer["encoding"]["tooltip"] for layer in marks)


def test_the_operators_of_the_candidates_are_shown(tmp_path: Path) -> None:
    found = benchmark([BASELINE, TWIN, FAST])
    kernel = {"operator": "Conv<3>", "precision": "int8", "ms": 0.0614, "calls": 6.0}
    records = [
        replace(record, execution={"kernels": [kernel]} if record.row == FAST else {})
        for record in found.records
    ]
    text = write(tmp_path, [BASELINE, TWIN, FAST], records=records)
    profile = text.partition('<div class="profiles">')[2].partition("</div>")[0]
    assert "<caption>none/int8-static/openvino" in profile and profile.count("<table>") == 1
    assert "Conv&lt;3&gt;" in profile and "0.0614" in profile


def test_each_group_of_rows_is_sorted_by_speedup_and_has_its_heading(tmp_path: Path) -> None:
    slow = row("none/fp32/torchscript", "slower", speedup=0.5)
    rows = [BASELINE, slow, TWIN, FAST]
    text = write(tmp_path, [*rows, *(replace(r, batch_size=8, scenario="batch") for r in rows)])
    table = text.partition('<table id="rows">')[2].partition("</table>")[0]
    assert re.findall(r'scope="rowgroup".*?>(.*?)<', table) == [
        "cnn on cpu1, batch 1",
        "cnn on cpu1, batch 8",
    ]
    order = ["none/int8-static/openvino", "twin", "none/fp32/eager", "none/fp32/torchscript"]
    assert re.findall(r'data-variant="(.*?)"', table) == order * 2


def test_several_batches_have_a_chart(tmp_path: Path) -> None:
    rows = [
        replace(
            each, batch_size=size, scenario="batch" if size > 1 else "single_stream", throughput_per_s=500.0
        )
        for size in (1, 8)
        for each in (BASELINE, FAST)
    ]
    assert any(name.endswith("-batch") for name in drawings(write(tmp_path, rows)))


@pytest.mark.slow
def test_four_hundred_rows_fit_in_three_megabytes(tmp_path: Path) -> None:
    rows = [BASELINE, *(row(f"none/fp32/r{number}", speedup=1 + number / 100) for number in range(400))]
    write(tmp_path, rows)
    assert (tmp_path / "report.html").stat().st_size < 3e6


PLACES = [job(size) + job(size, "cpu2") for size in (6, 7, 8, 9, 10)]


def charts(text: str) -> set[str]:
    """Those of the sweep."""
    return {name.removeprefix("sweep-scaling-") for name in drawings(text) if name.startswith("sweep-")}


def test_a_sweep_has_a_section_with_its_charts(tmp_path: Path) -> None:
    text = swept(tmp_path, sweep(PLACES))
    body = text.partition('<section id="sweep-scaling"')[2].partition("</section>")[0]
    assert "<pre>breakeven-sweep study=scaling</pre>" in body and "5 of 5 jobs are done" in body
    assert "Does TorchScript's gain grow with the model?</b> No, the opposite" in body
    assert 'href="#sweep-scaling"' in text
    assert charts(text) == {
        *(f"{kind}-{hardware}" for kind in ("macs", "params", "calls") for hardware in ("cpu1", "cpu2")),
        "fastest",
    }
    # 2x at 100 million MACs, and half of it at ten times that
    assert "none/fp32/torchscript_frozen below 1,000 million MACs (1,000 to 1,000)" in body
    assert "none/fp32/onnxruntime at every size measured" in body
    require_data(tmp_path, text)


def test_a_page_without_sweeps_has_no_section_of_one(page: tuple[Path, str]) -> None:
    assert 'class="sweep"' not in page[1] and "#sweep-" not in page[1]


def test_a_base_can_be_chosen_just_where_something_was_measured(
    page: tuple[Path, str], tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    html_page.write(report, tmp_path, "scaling", [], StudyResults([], []), [], Limits(), [sweep(PLACES)])
    assert 'id="against"' in page[1] and 'id="against"' not in report.read_text(encoding="utf-8")


def test_what_a_sweep_says_cannot_break_the_page(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    section = sweep(PLACES, [f"no {bad}"], command=f"breakeven-sweep study='{bad}'", missing={bad: bad})
    text = swept(tmp_path, section)
    assert bad not in text and text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 9
    assert "5 of 6 jobs are done, 1 failed; the results of 1 are missing" in text
    rows = [replace(each, family=bad) for each in PLACES[0]]
    assert bad not in swept(tmp_path, sweep([rows, *PLACES[1:]]))


def test_a_sweep_of_which_nothing_is_left_is_a_section_too(tmp_path: Path) -> None:
    text = swept(tmp_path, sweep([], ["killed"], missing={"family=cnn": "its results are not in the store"}))
    assert charts(text) == set() and "family=cnn: its results are not in the store" in text


def test_models_of_one_size_have_no_chart_over_size_and_one_place_none_of_places(tmp_path: Path) -> None:
    assert charts(swept(tmp_path, sweep([job(8)]))) == set()
    assert charts(swept(tmp_path, sweep([job(8) + job(8, "cpu2")]))) == {"fastest"}


def test_what_could_not_be_measured_is_said_once(tmp_path: Path) -> None:
    text = swept(tmp_path, sweep([[*rows, LOST] for rows in PLACES]))
    told = "none/fp32/tensorrt, unsupported: no &lt;GPU&gt; &amp; no wheel (5 times)"
    assert text.count(told) == 1


def test_two_models_have_no_fitted_line(tmp_path: Path) -> None:
    text = swept(tmp_path, sweep([job(7), job(8)]))
    assert charts(text) == {"macs-cpu1", "params-cpu1", "calls-cpu1"} and "No fit below 4 models" in text
    points = drawings(text)["sweep-scaling-macs-cpu1"]["datasets"]["table"]
    assert {point["fit"] for point in points} == {None}


def test_what_is_not_paid_back_is_counted_and_not_drawn(tmp_path: Path) -> None:
    words = dict.fromkeys(("breakeven_calls", "breakeven_calls_low", "breakeven_calls_high"), "never")
    first = [replace(each, **words) if each.runtime == "onnxruntime" else each for each in PLACES[0]]
    text = swept(tmp_path, sweep([first, *PLACES[1:]]))
    assert len(drawings(text)["sweep-scaling-calls-cpu1"]["datasets"]["table"]) == 9
    assert text.count("Not drawn: 1 never.</p>") == 2  # on each hardware


def test_no_more_variants_than_can_be_told_apart_are_drawn(tmp_path: Path) -> None:
    many = {f"none/fp32/r{number}": 0.9 for number in range(11)}
    text = swept(tmp_path, sweep([job(size, growth=many) for size in (7, 8)]))
    points = drawings(text)["sweep-scaling-macs-cpu1"]["datasets"]["table"]
    assert {point["variant"] for point in points} == {f"none/fp32/r{number}" for number in range(3, 11)}
    assert "the 8 variants of most gain" in text


def test_combinations_are_drawn_against_the_product_of_their_parts(tmp_path: Path) -> None:
    gains = {"prune50/fp32/eager": 2.0, "none/int8-static/openvino": 3.0, "prune50/int8-static/openvino": 9.0}
    rows = [BASELINE, *(row(variant, speedup=gain) for variant, gain in gains.items())]
    text = swept(tmp_path, sweep([rows]))
    (point,) = drawings(text)["sweep-scaling-combinations"]["datasets"]["table"]
    assert (point["product"], point["speedup"], point["ratio"]) == (6, 9, 1.5)
    assert point["ratio_low"] > 1 and point["verdict"] == "more than the product"
    require_data(tmp_path, text)


def test_a_large_sweep_adds_little_to_the_page(tmp_path: Path) -> None:
    growth = {**GROWTH, **{f"none/fp32/runtime_number_{number}": 0.9 for number in range(6)}}
    sizes = [job(5 + number % 6, hardware, growth) for number in range(19) for hardware in ("cpu1", "cpu2")]
    without = len(swept(tmp_path))
    assert len(swept(tmp_path, sweep(sizes))) - without < 500_000


def test_a_command_in_a_sentence_of_another_section_is_code() -> None:
    shown = html_page._with_code("Type `breakeven why <a> b`; x < y.")
    assert shown == "Type <code>breakeven why &lt;a&gt; b</code>; x &lt; y."
