"""`dvc repro` ends with what to deploy, the report and the next command."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from rows import BASELINE, TWIN, benchmark, row

from breakeven.report import terminal_answer
from breakeven.results.answer import answers
from breakeven.results.limits import Limits

BEST = row("none/fp32/onnxruntime", speedup=4.0)
ROWS = [BASELINE, TWIN, BEST]
NOON = datetime(2026, 11, 30, 12).timestamp()


def lines(hardware: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> list[str]:
    benchmarks, rows = [], []
    for name in hardware:
        own = [replace(each, hardware=name) for each in ROWS]
        batch = [replace(each, scenario="batch", batch_size=8) for each in own]
        benchmarks.append(replace(benchmark([*own, *batch]), measured={"single stream": (NOON, 60.0)}))
        rows += [*own, *batch]
    terminal_answer.show(answers(benchmarks, rows, Limits()), Path("results/report.html"))
    return capsys.readouterr().out.splitlines()


def test_a_family_has_its_choice_and_its_accuracy_then_come_the_report_and_the_next_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("VIRTUAL_ENV", "/somewhere")
    answer, accuracy, *more, report, following = lines(("cpu1",), capsys)
    assert all(line.startswith("  ") for line in more)
    assert answer == ("cnn: Deploy none/fp32/onnxruntime: 4.00x as fast as the baseline (3.80 to 4.20).")
    assert accuracy.startswith("  Its accuracy: 90.00%, no change seen")
    assert report == "Report: results/report.html, measured 2026-11-30 12:00"
    assert following.startswith("Next: `breakeven recommend` ")


def test_it_says_why_the_fastest_was_not_chosen_and_what_to_be_careful_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    fastest = row("prune50/fp32/onnxruntime", speedup=9.0, score_delta_ci_low=-0.03)
    near = row("none/fp32/openvino", speedup=3.99)
    rows = [*ROWS, fastest, near]
    terminal_answer.show(
        answers([benchmark(rows)], rows, Limits(max_accuracy_drop=2)), Path("results/report.html")
    )
    printed = capsys.readouterr().out
    assert (
        "  Not prune50/fp32/onnxruntime, 9.00x: the drop in accuracy may be 3 points (the limit is 2)."
        in printed
    )
    assert "  Careful: none/fp32/openvino may be as fast." in printed


def test_it_says_how_to_activate_the_environment_of_the_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setattr("sys.prefix", f"{Path.cwd()}/.venv")
    said = " ".join(lines(("cpu1",), capsys))
    assert "Next: `source .venv/bin/activate`. Then `breakeven recommend` says why" in said
    monkeypatch.setattr("sys.prefix", "/usr")
    assert "activate" not in " ".join(lines(("cpu1",), capsys))


def test_two_hardwares_are_named_and_words_stay_whole_at_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    printed = lines(("cpu1", "cpu2"), capsys)
    assert max(map(len, printed)) <= 80
    assert "cnn on cpu1" in printed[0] and any("cnn on cpu2" in line for line in printed)
    assert " ".join(printed).count("none/fp32/onnxruntime:") == 2
