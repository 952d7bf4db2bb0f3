"""Text is wrapped between words, and an interval stays in one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.core.format import wrapped

ANSWER = "Deploy none/fp32/onnxruntime: 18.37x as fast as the baseline (17.90 to 18.86)."


def test_an_interval_stays_in_one_line() -> None:
    lines = wrapped(ANSWER, len(ANSWER) - 4, "", "  ").splitlines()
    assert lines == ["Deploy none/fp32/onnxruntime: 18.37x as fast as the baseline", "  (17.90 to 18.86)."]


@pytest.mark.parametrize("width", [40, 60, 79, 80, 200])
@given(words=st.lists(st.sampled_from(["a", "none/fp32/eager", "(1.0 to 2.0)", "long" * 5]), min_size=1))
def test_no_line_is_too_long_and_no_word_is_lost(width: int, words: list[str]) -> None:
    text = " ".join(words)
    lines = wrapped(text, width, "- ", "  ").splitlines()
    assert max(map(len, lines)) <= width
    assert " ".join(" ".join(lines).split()) == f"- {text}"
