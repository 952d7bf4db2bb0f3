"""Records survive the disk, and the flat table is what the design says it is."""

import csv
import json
from dataclasses import asdict, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import benchmark as fabricated

from breakeven.core.errors import UserError
from breakeven.engine.settings import Scenario
from breakeven.report import row_text, terminal_table
from breakeven.results import records, result_row, summary
from breakeven.results.limits import Limits
from breakeven.results.result_row import ResultRow

# As in section 4 of the design.
COLUMNS = """
family, variant, compression, precision, quantization, executed_precision, runtime, hardware, machine,
threads, batch_size, scenario, callers, params, macs, verdict, reason, notes, unreliable, execution,
latency_ms_p50,
latency_ms_p50_ci_low,
latency_ms_p50_ci_high, latency_ms_p90, latency_ms_p99, latency_ms_p99_ci_low, latency_ms_p99_ci_high,
latency_ms_mean, slow_share, throughput_per_s, roofline_share, speedup, speedup_ci_low, speedup_ci_high,
speedup_of_means, speedup_of_means_ci_low, speedup_of_means_ci_high,
speedup_in_runtime, speedup_in_runtime_ci_low, speedup_in_runtime_ci_high,
noise_floor, min_detectable_effect, trained, metric, metric_unit, metric_better, score, score_delta,
score_delta_ci_low, score_delta_ci_high, score_p_value, accuracy, accuracy_top5, accuracy_delta,
accuracy_delta_ci_low, accuracy_delta_ci_high, accuracy_p_value, control_delta,
control_delta_ci_low, control_delta_ci_high, agreement, max_abs_error, artifact_mb,
peak_memory_mb, train_s, build_s, load_s, first_call_ms, cold_start_s, calls_until_steady, best_within_limit,
breakeven_calls, breakeven_calls_low, breakeven_calls_high, breakeven_calls_without_training,
replicates, pareto, recommended, beyond_limits
"""
ROW = ResultRow(
    family="cnn",
    variant="none/fp32/eager",
    compression="none",
    precision="fp32",
    quantization="",
    executed_precision=None,
    runtime="eager",
    hardware="cpu1",
    machine="a machine, 2 cores",
    threads=1,
    batch_size=1,
    scenario="single_stream",
    callers=1,
    params=1000,
    macs=2000,
    verdict="baseline",
    reason="",
)


def benchmark(rows, warnings=(), **settings):
    settings = {"latency_limit_ms": None, "confidence": 0.95, **settings}
    return fabricated(rows, images=360, settings=settings, warnings=list(warnings))


def cells(path, rows):
    """The table of `rows` as it is read back from a file."""
    summary.write_summary(path, rows)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_has_the_columns_of_the_design_in_their_order(tmp_path):
    summary.write_summary(tmp_path / "summary.csv", [])
    header = (tmp_path / "summary.csv").read_text(encoding="utf-8")
    assert header.strip().split(",") == COLUMNS.replace("\n", " ").replace(" ", "").split(",")


@pytest.mark.parametrize(("reason", "unreliable"), [("unreliable run: the twin differs", True), ("", False)])
def test_an_older_record_tells_an_unreliable_run_by_its_reason(tmp_path, reason, unreliable):
    benchmark([replace(ROW, reason=reason)]).write(tmp_path / "benchmark.json")
    values = json.loads((tmp_path / "benchmark.json").read_text(encoding="utf-8"))
    del values["records"][0]["row"]["unreliable"]
    (tmp_path / "benchmark.json").write_text(json.dumps(values), encoding="utf-8")
    read = records.read_benchmark(tmp_path / "benchmark.json")
    assert read.records[0].row.unreliable is unreliable


def test_a_benchmark_is_read_back_as_it_was_written(tmp_path):
    written = benchmark(
        [ROW, replace(ROW, variant="twin", speedup=1 / 3, pareto=True, breakeven_calls="never")]
    )
    written.write(tmp_path / "benchmark.json")
    assert records.read_benchmark(tmp_path / "benchmark.json") == written


def test_a_benchmark_with_a_figure_that_is_none_of_these_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        benchmark([replace(ROW, speedup=float("nan"))]).write(tmp_path / "benchmark.json")
    assert list(tmp_path.iterdir()) == []


def test_a_benchmark_of_another_version_is_refused_with_what_to_do(tmp_path):
    benchmark([ROW]).write(tmp_path / "benchmark.json")
    old = json.loads((tmp_path / "benchmark.json").read_text())
    del old["records"][0]["row"]["callers"]
    (tmp_path / "benchmark.json").write_text(json.dumps(old))
    with pytest.raises(UserError, match="another version of Breakeven: run `dvc repro`"):
        records.read_benchmark(tmp_path / "benchmark.json")


def damaged(values, place, value):
    """The JSON of a record with another value at a place, as an editor or a bad disk leaves it."""
    *parts, last = place
    for part in parts:
        values = values[part]
    assert last in values or isinstance(values, list)
    values[last] = value


ROW_PLACE = ("records", 0, "row")
PLACES = [
    *((*ROW_PLACE, name) for name in ("speedup", "latency_ms_p50", "score", "threads", "macs", "family")),
    *((*ROW_PLACE, name) for name in ("breakeven_calls", "verdict", "reason", "unreliable", "replicates")),
    ("records", 0, "replicates", 0, "blocks", 0, "calls_ms", 1),
    ("records", 0, "replicates", 0, "blocks", 0, "round"),
    ("records", 0, "replicates", 0, "blocks"),
    ("settings", "latency_limit_ms"),
    ("settings", "confidence"),
    ("machine", "name"),
    ("machine", "versions"),
    ("stopped", "batch 1"),
    ("warnings", 0),
    *((name,) for name in ("seconds", "test_images", "dirty", "commit", "peaks", "records", "machine")),
]
NUMBERS = ("speedup", "latency_ms_p50", "score", 1, "latency_limit_ms", "confidence", "seconds")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
@pytest.mark.parametrize("value", [["a list"], "1.5", float("nan"), float("inf")], ids=str)
def test_a_record_with_a_value_of_another_kind_is_refused_with_its_file(tmp_path, place, value):
    texts = ("family", "breakeven_calls", "verdict", "reason", "name", "batch 1", "commit")
    if value == "1.5" and place[-1] in texts:
        value = 1.5
    row = replace(ROW, latency_ms_p50=1.0, speedup=2.0, score=0.5)
    path = tmp_path / "benchmark.json"
    benchmark([row], [{"scenario": "batch 1", "name": "a", "text": "b", "remedy": "c"}]).write(path)
    values = json.loads(path.read_text())
    records.read_benchmark(path)
    damaged(values, place, value)
    path.write_text(json.dumps(values))
    with pytest.raises(UserError, match=r"benchmark\.json.*`dvc (checkout|repro)`") as refused:
        records.read_benchmark(path)
    assert len(str(refused.value).splitlines()) == 1


def test_a_number_that_json_makes_infinite_is_refused(tmp_path):
    path = tmp_path / "benchmark.json"
    benchmark([replace(ROW, speedup=1.25)]).write(path)
    path.write_text(path.read_text().replace("1.25", "1e999"))
    with pytest.raises(UserError, match=r"records\.0\.row\.speedup=inf should be a finite number"):
        records.read_benchmark(path)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"3", b"\xff\xfe", b"{", b'{"records": 3}', b'{"records": [3]}']
)
def test_a_file_that_is_no_record_is_refused_with_its_name(tmp_path, content):
    (tmp_path / "benchmark.json").write_bytes(content)
    with pytest.raises(UserError, match=r"benchmark\.json .*`dvc repro`"):
        records.read_benchmark(tmp_path / "benchmark.json")


def test_a_folder_in_the_place_of_a_record_is_refused_with_its_name(tmp_path):
    (tmp_path / "benchmark.json").mkdir()
    with pytest.raises(UserError, match=r"benchmark\.json is not a file"):
        records.read_benchmark(tmp_path / "benchmark.json")


@pytest.mark.parametrize(
    ("scenario", "title"),
    [
        (Scenario(), "batch 1"),
        (Scenario(batch_size=8), "batch 8"),
        (Scenario(callers=4), "batch 1, 4 callers (threads)"),
        (Scenario(callers=4, processes=True), "batch 1, 4 callers (processes)"),
    ],
)
def test_a_row_tells_how_the_model_was_called(scenario, title):
    row = replace(ROW, scenario=scenario.name, batch_size=scenario.batch_size, callers=scenario.callers)
    assert result_row.scenario(row) == scenario
    assert result_row.title(row) == f"cpu1, {title}"


def test_a_missing_figure_is_an_empty_cell(tmp_path):
    (row,) = cells(tmp_path / "summary.csv", [ROW])
    missing = [name for name, value in asdict(ROW).items() if value is None]
    assert len(missing) > 20
    assert {row[name] for name in missing} == {""}


def test_a_reason_is_printed_as_it_is(capsys):
    reason = "pip install 'breakeven[onnxruntime]' [enforce fail at x.cc] [/some/path]"
    found = benchmark([ROW, replace(ROW, variant="a", verdict="unsupported", reason=reason)])
    terminal_table.show([found], [record.row for record in found.records])
    printed = " ".join(capsys.readouterr().out.split())
    assert reason in printed


def test_a_warning_is_printed_with_its_remedy_below_the_table_that_it_is_about(capsys):
    warning = {"scenario": "batch 8", "name": "steal", "text": "others ran", "remedy": "wait for them"}
    rows = [ROW, replace(ROW, scenario="batch", batch_size=8), replace(ROW, scenario="batch", batch_size=32)]
    terminal_table.show([benchmark(rows, [warning])], rows)
    before, *tables = capsys.readouterr().out.split("cnn (digits) on cpu1, ")
    assert [("steal: others ran; wait for them" in each) for each in (before, *tables)] == [
        *(False, False),
        *(each.startswith("batch 8") for each in tables[1:]),
    ]


@pytest.mark.parametrize("scenario", [Scenario(), Scenario(batch_size=32), Scenario(callers=4)])
def test_a_table_of_the_default_study_is_printed_in_full(capsys, scenario):
    row = replace(
        ROW,
        scenario=scenario.name,
        batch_size=scenario.batch_size,
        callers=scenario.callers,
        variant="prune50/int8-static/torchscript_frozen",
        verdict="undecided",
        speedup=11.625,
        speedup_ci_low=10.125,
        speedup_ci_high=12.125,
        latency_ms_p50=123.4567,
        latency_ms_p99=234.5678,
        throughput_per_s=12345.0,
        score=0.9876,
        score_delta=-0.1111,
        score_delta_ci_low=-0.1222,
        score_delta_ci_high=-0.1011,
        artifact_mb=44.72,
        breakeven_calls="undecided",
    )
    terminal_table.show([benchmark([row])], [row], wide=True)
    printed = capsys.readouterr().out
    assert "…" not in printed
    for text in ("break-even calls", "change, points", row.variant, "-11.11 (-12.2 to -10.1)", "234.6"):
        assert text in printed


def test_a_text_with_commas_quotes_and_line_breaks_stays_in_its_cell(tmp_path):
    reason = 'killed by SIGSEGV: "a, b"\nlast line'
    (row,) = cells(tmp_path / "summary.csv", [replace(ROW, reason=reason)])
    assert row["reason"] == reason


def test_a_mark_is_written_in_lower_case(tmp_path):
    table = cells(tmp_path / "summary.csv", [replace(ROW, pareto=True), replace(ROW, pareto=False)])
    assert [row["pareto"] for row in table] == ["true", "false"]


def test_counts_are_written_in_full(tmp_path):
    (row,) = cells(tmp_path / "summary.csv", [replace(ROW, macs=1234567891)])
    assert row["macs"] == "1234567891"


@given(value=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_a_figure_has_at_most_six_significant_digits(tmp_path_factory, value):
    (row,) = cells(tmp_path_factory.getbasetemp() / "digits.csv", [replace(ROW, speedup=value)])
    assert len(Decimal(row["speedup"]).normalize().as_tuple().digits) <= 6
    assert float(row["speedup"]) == pytest.approx(value, rel=5e-6, abs=1e-307)


FIGURE = st.none() | st.sampled_from([0.25, 0.5, 0.75])
CHANGES = st.fixed_dictionaries(
    {
        "family": st.sampled_from(["cnn", "resnet18"]),
        "hardware": st.sampled_from(["cpu1", "cpu2"]),
        "batch_size": st.sampled_from([1, 8]),
        "scenario": st.sampled_from(["server_threads", "server_processes"]),
        "callers": st.sampled_from([2, 4]),
        "verdict": st.sampled_from(["faster", "undecided", "baseline"]),
        "latency_ms_p50": FIGURE,
        "score": FIGURE,
        "artifact_mb": FIGURE,
    }
)


CELL = ("family", "hardware", "scenario", "batch_size", "callers")


def on_the_front(row, rows):
    """By definition: nothing of the same cell is at least as good in all and better in one."""
    costs = (row.latency_ms_p50, row.score, row.artifact_mb)
    if None in costs:
        return None
    for other in rows:
        if (
            any(getattr(row, name) != getattr(other, name) for name in CELL)
            or on_the_front(other, []) is None
        ):
            continue
        ties = (other.latency_ms_p50, other.score, other.artifact_mb) == costs
        if not ties and (
            other.latency_ms_p50 <= row.latency_ms_p50
            and other.score >= row.score
            and other.artifact_mb <= row.artifact_mb
        ):
            return False
    return True


@given(st.lists(CHANGES, max_size=12))
def test_the_pareto_front_is_what_its_definition_says(changes):
    rows = [replace(ROW, variant=str(number), **change) for number, change in enumerate(changes)]
    marks = {row.variant: row.pareto for row in summary.rows([benchmark(rows)], Limits())}
    assert marks == {row.variant: on_the_front(row, rows) for row in rows}


def test_the_twin_is_on_no_front():
    known = replace(ROW, latency_ms_p50=1.0, score=0.9, artifact_mb=1.0)
    both = [known, replace(known, variant="twin", verdict="twin", latency_ms_p50=0.1)]
    marks = {row.variant: row.pareto for row in summary.rows([benchmark(both)], Limits())}
    assert marks == {ROW.variant: True, "twin": None}


@pytest.mark.parametrize(
    "change",
    [
        {"family": "resnet18"},
        {"hardware": "cpu2"},
        {"batch_size": 8},
        {"scenario": "server_threads"},
        {"callers": 4},
    ],
)
def test_only_rows_of_one_family_hardware_and_scenario_compete(change):
    worse = replace(ROW, latency_ms_p50=2.0, score=0.5, artifact_mb=2.0)
    better = replace(worse, variant="better", latency_ms_p50=1.0, **change)
    assert all(row.pareto for row in summary.rows([benchmark([worse, better])], Limits()))


def served(throughputs_per_s, p99s_ms, limit_ms, **changes):
    """Which of the batches 1, 2, 4, ... of one variant are marked as the best under the limit."""
    rows = [
        replace(ROW, batch_size=2**at, throughput_per_s=rate, latency_ms_p99_ci_high=p99, **changes)
        for at, (rate, p99) in enumerate(zip(throughputs_per_s, p99s_ms, strict=True))
    ]
    marked = summary.rows([benchmark(rows, latency_limit_ms=limit_ms)], Limits())
    return [row.best_within_limit for row in sorted(marked, key=lambda row: row.batch_size)]


def test_the_batch_of_most_throughput_within_the_latency_limit_is_marked():
    assert served([100.0, 180.0, 300.0], [10.0, 11.0, 13.0], 12.0) == [False, True, False]
    assert served([100.0, 180.0, 170.0], [10.0, 11.0, 12.0], 12.0) == [False, True, False]
    assert served([100.0, 180.0, 300.0], [10.0, 11.0, 13.0], 5.0) == [False] * 3


def test_a_batch_whose_p99_has_no_bound_is_neither_within_the_limit_nor_beyond_it():
    assert served([100.0, 180.0, 300.0], [10.0, None, 13.0], 12.0) == [True, None, False]


def test_without_a_latency_limit_no_batch_is_marked():
    assert served([100.0, 180.0], [10.0, 11.0], None) == [None] * 2


def test_a_row_without_a_throughput_is_not_marked():
    assert served([None, 180.0], [None, 11.0], 12.0) == [None, True]


def test_batches_callers_and_variants_have_a_best_each():
    bound = {"latency_ms_p99_ci_high": 1.0}
    fast = {"throughput_per_s": 900.0, **bound}
    rows = [
        replace(ROW, throughput_per_s=100.0, **bound),
        replace(ROW, scenario="batch", batch_size=8, throughput_per_s=200.0, **bound),
        replace(ROW, scenario="server_threads", callers=2, throughput_per_s=300.0, **bound),
        replace(ROW, scenario="server_threads", callers=4, throughput_per_s=400.0, **bound),
        replace(ROW, scenario="server_processes", callers=2, throughput_per_s=50.0, **bound),
        replace(ROW, variant="none/fp32/onnxruntime", **fast),
    ]
    marked = summary.rows([benchmark(rows, latency_limit_ms=2.0)], Limits())
    best = {
        (row.variant.split("/")[-1], row.scenario, row.callers) for row in marked if row.best_within_limit
    }
    assert best == {
        ("eager", "batch", 1),
        ("eager", "server_threads", 4),
        ("eager", "server_processes", 2),
        ("onnxruntime", "single_stream", 1),
    }


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(0.5, 2.0, "0.50 to 2.00"), (1e-12, 4e11, "0.00 to 4e+11"), (None, None, "")],
)
def test_a_bound_that_says_nothing_takes_no_room(low, high, shown):
    assert row_text.interval(replace(ROW, speedup_ci_low=low, speedup_ci_high=high)) == shown


def test_a_record_with_the_old_name_of_a_mark_is_read(tmp_path):
    path = tmp_path / "cnn-cpu1.json"
    benchmark([ROW]).write(path)
    path.write_text(path.read_text().replace('"best_within_limit"', '"within_limit"'))
    assert records.read_benchmark(path).records[0].row == ROW


def test_a_record_of_an_earlier_version_is_read_with_its_accuracy_as_score(tmp_path):
    path = tmp_path / "benchmark.json"
    benchmark([replace(ROW, score=0.5, score_delta=-0.1)]).write(path)
    values = json.loads(path.read_text())
    for record in values["records"]:
        own = record["row"]
        for name in [name for name in own if name.startswith(("score", "metric"))]:
            value = own.pop(name)
            if name.startswith("score"):
                own[name.replace("score", "accuracy")] = value
    path.write_text(json.dumps(values))
    (record,) = records.read_benchmark(path).records
    assert (record.row.score, record.row.accuracy, record.row.accuracy_delta) == (0.5, 0.5, -0.1)
    assert record.row.metric == "accuracy"
