"""The page of the study counts outcomes with intervals, and names each cell that is silently wrong."""

import csv
from pathlib import Path

import pytest

from breakeven.capture import findings, page, page_tables
from breakeven.capture.outcome import Outcome
from breakeven.capture.shares import shares

OUTCOMES = [
    Outcome(
        "gate", "jit_trace", "wrong", "its output differs by up to 2", "the negated input", advice="use where"
    ),
    Outcome("plain", "jit_trace", "right", graphs=1),
    Outcome("noise", "jit_trace", "random", "called twice, it differs"),
    Outcome("gate", "dynamo", "pieces", graphs=2),
    Outcome("plain", "dynamo", "right", graphs=1),
    Outcome("noise", "dynamo", "random", "called twice, it differs"),
]


def test_shares_leave_out_what_nobody_can_judge_and_have_wilsons_interval() -> None:
    wrong = next(share for share in shares(OUTCOMES)["jit_trace"] if share.kind == "wrong")
    assert (wrong.count, wrong.total) == (1, 2)
    assert (wrong.low, wrong.high) == pytest.approx((0.0945, 0.9055), abs=1e-3)
    assert str(wrong) == "1 (50%; 9% to 91%)"


def test_the_page_has_a_table_a_picture_and_every_wrong_cell(tmp_path: Path) -> None:
    said = ["One graph is wrong."]
    files = page.write(tmp_path / "capture.md", {"idioms": OUTCOMES}, {}, said, "breakeven capture study")
    text, table, picture = (file.read_text() for file in files)
    assert "| torch.jit.trace | 2 | 1 (50%; 9% to 91%) | 0 (0%; 0% to 66%) |" in text
    assert (
        "| gate | torch.jit.trace | silently wrong: its output differs by up to 2 | the negated input |"
        in text
    )
    assert text.splitlines()[2] == "- One graph is wrong."
    assert "not repeatable: noise" in text and "93.4% of 1,191" in text
    assert "![Idioms: small models, one idea each](capture_idioms.svg)" in text
    rows = list(csv.DictReader(table.splitlines()))
    assert len(rows) == len(OUTCOMES) and rows[0]["outcome"] == "silently wrong"
    assert rows[3]["outcome"] == "right in 2 graphs"
    assert "gate" in picture and ">X<" in picture


def test_the_commonest_reason_for_refusals_is_told() -> None:
    outcomes = [
        Outcome("a", "fx_trace", "refused", "TraceError: a | b"),
        Outcome("b", "fx_trace", "refused", "TraceError: a | b"),
        Outcome("c", "fx_trace", "refused", "TypeError: c"),
        Outcome("c", "dynamo", "right", graphs=1),
    ]
    assert "| torch.fx.symbolic_trace | 2 of 3 | `TraceError: a \\| b` |" in page_tables.refusals(outcomes)
    assert page_tables.refusals(outcomes[-1:]) == ""


def test_the_first_sentence_has_the_range_and_who_is_silently_wrong() -> None:
    more = Outcome("whole", "dynamo", "right", graphs=1), Outcome("whole", "jit_trace", "wrong", "it differs")
    (said,) = findings.sentences({"idioms": [*OUTCOMES, *more]}, {})
    assert said == (
        "Of 3 idioms, from 1 (torch.jit.trace) to 2 (Dynamo (torch.compile)) are captured whole and right. "
        "Silently wrong most often: torch.jit.trace: 2."
    )
