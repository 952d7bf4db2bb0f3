"""The table fits the terminal, breaks lines between words, and marks what to deploy."""

import re
from dataclasses import replace

import pytest
from rows import BASELINE, TWIN, benchmark, row

from breakeven.engine.samples import STOPPED
from breakeven.report import terminal_table
from breakeven.report.row_columns import COLUMNS
from breakeven.results.limits import Limits

BEST = row("none/int8-static/onnxruntime", speedup=4.0, recommended=True, pareto=True)
FASTEST = row("prune50/int8-static/torchscript_frozen", speedup=9.0, reason="because " + "of words " * 20)
ROWS = [BASELINE, TWIN, BEST, FASTEST]
IS_ROW = re.compile(r"\d\.\d\dx ")


def printed(capsys: pytest.CaptureFixture[str], wide: bool = False) -> list[str]:
    terminal_table.show([benchmark(ROWS)], ROWS, wide)
    return capsys.readouterr().out.splitlines()


def test_the_legend_says_which_limits_the_recommended_variant_keeps(
    capsys: pytest.CaptureFixture[str],
) -> None:
    worse = replace(FASTEST, beyond_limits="the drop in accuracy may be 3 points (the limit is 2)")
    two = [benchmark(ROWS)] * 2
    terminal_table.show(two, [BASELINE, TWIN, BEST, worse], limits=Limits(max_accuracy_drop=2))
    printed = capsys.readouterr().out
    words = " ".join(printed.split())
    for said in (
        "deploy this: the fastest that surely loses at most 2 points of accuracy",
        "! may exceed that",
    ):
        assert words.count(said) == 1, "once for all tables"
    marked = [line.split()[1] for line in printed.splitlines() if line.startswith("! ")]
    assert {*marked} == {FASTEST.variant}


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(), ""),
        (Limits(max_accuracy_drop=0.5, by_estimate=True), "loses at most 0.5 points of accuracy"),
        (Limits(max_latency_ms=5, max_size_mb=10), "surely takes at most 5 ms (p50) and has at most 10 MB"),
    ],
)
def test_limits_are_told_in_plain_words(limits: Limits, words: str) -> None:
    assert limits.sentence([BASELINE]) == words


@pytest.mark.parametrize("width", [80, 100, 120, 160, 250])
def test_every_line_fits_and_more_room_shows_more_columns(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = printed(capsys)
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines) and BEST.variant in "".join(lines)
    monkeypatch.setenv("COLUMNS", str(width + 60))
    assert len(printed(capsys)[1].split()) >= len(lines[1].split())


def test_at_80_columns_the_speedup_its_interval_and_the_accuracy_stay(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = printed(capsys)
    assert lines[0].strip().startswith("★ deploy this")
    (header,) = (line for line in lines if line.startswith("variant"))
    assert header.split() == ["variant", "speedup", "interval", "accuracy", "worst"]
    (wide,) = (line for line in printed(capsys, wide=True) if line.startswith("variant"))
    terminal = [column.title for column in COLUMNS if "terminal" in column.views]
    assert all(title in wide for title in terminal if title != "inputs/s") and len(wide) > 80


def test_the_worst_accuracy_says_why_a_variant_may_exceed_a_limit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    drop = replace(FASTEST, score=0.89, score_delta=-0.01, score_delta_ci_low=-0.03, reason="")
    error = replace(drop, variant="none/fp32/b", metric="error", metric_unit="eur", metric_better="lower")
    own = [BASELINE, TWIN, drop, replace(error, score=5.0, score_delta=1.0, score_delta_ci_high=2.5)]
    terminal_table.show([benchmark(own)], own)
    lines = capsys.readouterr().out.splitlines()
    worst = {line.split()[0]: line.split()[-1] for line in lines if IS_ROW.search(line)}
    assert worst[FASTEST.variant] == "87.00%" and worst["none/fp32/b"] == "eur"
    assert "6.5 eur" in next(line for line in lines if "none/fp32/b" in line)
    assert worst["twin"] == "90.00%", "the baseline and its twin lose nothing"


def test_the_fastest_comes_first_and_the_recommended_one_has_the_star(
    capsys: pytest.CaptureFixture[str],
) -> None:
    variants = [line for line in printed(capsys) if IS_ROW.search(line)]
    assert FASTEST.variant in variants[0]
    assert [line.split()[1] for line in variants if line.startswith("★")] == [BEST.variant]


def test_variants_that_stopped_early_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    early = [row(f"none/fp32/{name}", reason=f"{STOPPED} 5 replicates, because x is") for name in ("a", "b")]
    terminal_table.show([benchmark(ROWS)], [*ROWS, *early])
    words = " ".join(capsys.readouterr().out.split())
    assert "none/fp32/a, none/fp32/b: measured less often, because another one is surely" in words
    assert "stopped after" not in words and "because of words" in words


def test_how_it_was_measured_is_told_where_all_columns_are(capsys: pytest.CaptureFixture[str]) -> None:
    short, wide = (" ".join(" ".join(printed(capsys, wide=each)).split()) for each in (False, True))
    assert "are noise." in short and "with 95% confidence" in short
    assert "`breakeven table --wide` shows all columns, and how they were measured." in short
    assert "identical copy" not in short and "Measured 5 times" not in short
    assert "identical copy" in wide and "with 95% confidence" in wide and "--wide" not in wide


def test_no_two_columns_of_the_terminal_are_equally_important() -> None:
    ranks = [column.rank for column in COLUMNS if "terminal" in column.views and not column.several_only]
    assert len(set(ranks)) == len(ranks)


def test_a_pipe_without_colours_says_nothing_of_bold(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(printed(capsys))
    assert "Bold" not in text


def test_one_row_without_figures_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    failed = replace(BASELINE, verdict="failed", reason="it stopped", speedup=None, latency_ms_p50=None)
    terminal_table.show([benchmark([failed])], [failed])
    assert "failed, it stopped" in capsys.readouterr().out
