"""The costs of capturing, measured with the real compiler, though too shortly for good intervals."""

from functools import partial
from pathlib import Path

import pytest

from breakeven.capture.costs import breaks, guards, shapes
from breakeven.engine.isolated import IsolatedCalls

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_breaks_cost_something_and_parts_take_longer_than_the_whole() -> None:
    line = breaks.per_break("cnn", 5.0)
    assert 0 < line["slope_us_low"] < line["slope_us"] < line["us"]["8"] and line["replicates"] >= 5
    tools = breaks.tools("cnn", 5.0)
    assert {*tools["over_eager"]} == {breaks.WHOLE, breaks.PARTS, breaks.LAZY, breaks.LAZY_PARTS}
    assert tools["parts_over_whole"]["compile"][1] > 1


def test_guards_take_a_larger_share_of_a_shorter_call() -> None:
    short, long = (guards.share(width, 5.0) for width in ("8", "1024"))
    assert short["us"] < long["us"] and short["share"][0] > long["share"][2]


@pytest.mark.parametrize(("setting", "graphs"), [("off", 8), ("automatic", 2), ("on", 2)])
def test_a_pass_over_changing_shapes_needs_as_many_graphs_as_the_setting_says(
    tmp_path: Path, setting: str, graphs: int
) -> None:
    # "on" needs two: torch compiles a batch of one by itself.
    with IsolatedCalls(("torch", shapes.__name__), tmp_path, 600) as calls:
        found = calls.call(partial(shapes.first_pass, "cnn", setting))
    assert found["graphs"] == graphs and found["seconds"] > 0
