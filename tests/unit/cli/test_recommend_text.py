"""`breakeven recommend` prints the answer, at most three candidates, and why the others were not chosen."""

import pytest
from rows import BASELINE, TWIN, benchmark, row

from breakeven.cli import recommend_text
from breakeven.results.answer import answers
from breakeven.results.limits import Limits

SAFE = row("none/fp32/torchscript_frozen", speedup=4.0, breakeven_calls="6030")
FAST = row("prune50/int8-static/torchscript_frozen", speedup=8.0, score_delta_ci_low=-0.006)
ROWS = [BASELINE, TWIN, SAFE, FAST]


def printed(limits: Limits, capsys: pytest.CaptureFixture[str], decides: float = 0.1) -> list[str]:
    (cell_answer,) = answers([benchmark(ROWS)], ROWS, limits)
    recommend_text.show(cell_answer, limits, decides, ["busy: " + "others ran " * 20])
    return capsys.readouterr().out.splitlines()


def test_at_80_columns_it_fits_and_says_why_the_fastest_was_not_chosen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = printed(Limits(max_accuracy_drop=0.5), capsys)
    assert max(map(len, lines)) <= 80
    (fastest,) = [line for line in lines if line.startswith("  fastest ")]
    assert FAST.variant in fastest and "8.00x" in fastest
    words = " ".join(" ".join(lines).split())
    assert f"Why not {FAST.variant}: the drop in accuracy may be" in words
    assert f"Deploy {SAFE.variant}: 4.00x as fast as the baseline" in words
    assert "Warning: busy: others ran" in words and "--by-estimate" not in words
    assert "Its files: artifacts/export/cnn/none--fp32--torchscript_frozen" in words
    assert words.endswith('Load them: breakeven.load_variant("...", threads=1)')


def test_a_wide_terminal_has_the_reasons_in_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    (fastest,) = [
        line for line in printed(Limits(max_accuracy_drop=0.5), capsys) if line.startswith("  fastest ")
    ]
    assert "the drop in accuracy may be 0.6 points" in fastest


def test_nothing_that_keeps_the_limits_has_no_files_and_a_small_test_set_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = " ".join(" ".join(printed(Limits(max_accuracy_drop=0.5, max_size_mb=0.001), capsys, 2.0)).split())
    assert "No recommendation: " in words and "Its files" not in words
    assert "too small to rule out a drop of less than 2 points: --by-estimate" in words
