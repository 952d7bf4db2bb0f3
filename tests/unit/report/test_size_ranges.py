"""The table says for which sizes each variant pays; neighbours are one range."""

import pytest
from rows import row

from breakeven.report.size_ranges import ranges, where_it_pays

SIZES = [1_000_000, 2_000_000, 5_000_000, 40_000_000]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ([], ""),
        (SIZES, "1 to 40"),
        ([5_000_000, 1_000_000], "1, 5"),
        ([1_000_000, 2_000_000, 40_000_000], "1 to 2, 40"),
    ],
)
def test_neighbours_are_one_range(chosen: list[int], words: str) -> None:
    assert ranges(chosen, SIZES) == words


def test_a_variant_has_a_line_that_says_where_it_is_faster() -> None:
    verdicts = ["slower", "undecided", "faster", "faster"]
    rows = [row("none/fp32/b", verdict, family=f"m{n}", macs=SIZES[n]) for n, verdict in enumerate(verdicts)]
    rows += [row("none/fp32/c", "unsupported", family=f"m{n}", macs=size) for n, size in enumerate(SIZES)]
    lines = where_it_pays(rows).splitlines()
    assert lines[2:] == ["| none/fp32/b | cpu1 | 5 to 40 | 1 | 2 |"]
    assert where_it_pays(rows[:1]) == ""
