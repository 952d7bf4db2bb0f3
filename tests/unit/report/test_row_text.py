"""The words of a row's figures."""

from dataclasses import replace

import pytest
from rows import BASELINE

from breakeven.report import row_text


@pytest.mark.parametrize(("megabytes", "text"), [(0.3, "<1"), (0.0, "<1"), (25.4, "25"), (None, "")])
def test_less_memory_than_can_be_told_is_not_called_none(megabytes: float | None, text: str) -> None:
    assert row_text.memory(replace(BASELINE, peak_memory_mb=megabytes)) == text
