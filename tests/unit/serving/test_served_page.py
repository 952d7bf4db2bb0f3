"""The page of what services and several callers were seen to do."""

from pathlib import Path

from breakeven.engine.settings import ALONE, Arrangement
from breakeven.results.callers import CallersRecord, CallersRow
from breakeven.results.served import BatchingRecord, RateTried, ServedRecord, ServedRow
from breakeven.serving.capacity import findings, page

PARTS = dict.fromkeys(findings.PARTS, 0.25)
SLOW = ServedRow("none/fp32/eager", 2.0, [4.0, 4.1], [6.0, 6.1], PARTS, None, [], 20.0, False)
FAST = ServedRow("none/fp32/onnxruntime", 0.5, [2.0, 2.05], [3.0, 3.1], PARTS, 310.0, [8.0], 341.0, False)
BATCHING = BatchingRecord(
    8, 2.0, 1.0, 0.3, None, [RateTried(100, [0.5, 0.52]), RateTried(200, [], refused=True)]
)
TWO = Arrangement(1, 2, False)


def test_the_page_has_each_figure_and_picture(tmp_path: Path) -> None:
    served = ServedRecord("cnn", "cpu1", "a machine", 10.0, 3.0, [SLOW, FAST], BATCHING)
    both = Arrangement(1, 2, True)
    rates = [(ALONE, [100.0, 101.0]), (TWO, [150.0, 151.0]), (both, [199.0, 200.0])]
    more = [(Arrangement(2), [120.0, 121.0]), (Arrangement(2, 2, True), [130.0, 131.0])]
    callers = CallersRecord("cnn", "a machine", 2, [CallersRow("none/fp32/eager", [*rates, *more])])
    written = page.write(tmp_path / "serving.md", [served, callers], "breakeven compose && dvc repro")
    text = (tmp_path / "serving.md").read_text()
    assert "| `none/fp32/onnxruntime` | 0.5 | 2.02 | 3.05 | 310 |" in text
    assert "| `none/fp32/eager` | 2 | 4.05 | 6.05 | none |" in text
    assert "| 200 | without batching, requests are refused |" in text
    assert "| `none/fp32/eager` | 100 | 1.50x" in text
    assert "One caller is answered 2.00x" in text and "Machine: a machine" in text
    pictures = [file for file in written if file.suffix == ".svg"]
    assert len(pictures) == 2 and all(f"({file.name})" in text and file.exists() for file in pictures)
