"""The tables of what capturing costs at each call, in Markdown."""

from collections.abc import Iterator, Mapping, Sequence

from breakeven.capture.costs.breaks import LAZY, PARTS, WHOLE
from breakeven.capture.costs.guards import LAYERS, SHARE, break_even
from breakeven.capture.costs.pieces import Figures, of_kind
from breakeven.core.format import brief, times
from breakeven.report.markdown import table

COMPARED = {"compiled whole": WHOLE, "compiled in nine graphs": PARTS, "LazyTensor": LAZY}
BY_DYNAMO, BY_LAZY = 2.08, 2.85  # published: how many times as long partial graphs take as whole ones


def sections(found: Mapping[str, Figures]) -> Iterator[str]:
    """Yield the parts of the page on costs, each with its table."""
    machines = ", ".join(dict.fromkeys(each["machine"] for each in found.values()))
    yield (
        f"Measured by [the engine](../measuring.md), one pinned thread, one sample a call, on {machines}. "
        "In parentheses: intervals of 95%.\n"
    )
    yield from _breaks(of_kind(found, "breaks"))
    yield from _tools(of_kind(found, "tools"))
    yield from _guards(of_kind(found, "guards"))
    yield from _shapes(of_kind(found, "shapes"))


def _breaks(found: Sequence[Figures]) -> Iterator[str]:
    yield "### A graph break\n"
    lines = [
        [
            each["model"],
            brief(each["us"]["0"]),
            brief(each["us"]["8"]),
            _added(each),
            str(each["replicates"]),
        ]
        for each in found
    ]
    header = ["model", "call in one graph, µs", "with 8 breaks, µs", "a break adds, µs", "replicates"]
    yield table(header, lines, left=1)
    yield (
        "\nThe same model, compiled by Inductor, with 0, 1, 2, 4 and 8 breaks; a line through the five times "
        "of each replicate.\n"
    )


def _added(each: Figures) -> str:
    """Return what a break adds; a bound if the interval holds zero."""
    slope, low, high = (each[name] for name in ("slope_us", "slope_us_low", "slope_us_high"))
    if low <= 0:
        return f"at most {brief(high)}"
    return f"{brief(slope)} ({brief(low)} to {brief(high)})"


def _tools(found: Sequence[Figures]) -> Iterator[str]:
    yield "### Whole graphs and parts\n"
    lines = {
        "eager, µs": [brief(each["eager_us"]) for each in found],
        **{
            f"{name}, as fast as eager": [_times(each["over_eager"][tool]) for each in found]
            for name, tool in (
                ("compiled whole", WHOLE),
                ("compiled in nine graphs", PARTS),
                ("LazyTensor", LAZY),
            )
        },
        **{
            f"time with eight breaks, relative to none: {name}": [
                _times(each["parts_over_whole"][tool]) for each in found
            ]
            for name, tool in (("compiled", "compile"), ("LazyTensor", "lazy"))
        },
        "graphs of LazyTensor in a call, without breaks": [str(each["lazy_graphs"]) for each in found],
    }
    yield table(
        ["", *(each["model"] for each in found)], [[name, *cells] for name, cells in lines.items()], left=1
    )
    yield (
        f"\nPublished: graphs in parts take {BY_DYNAMO}x as long as whole ones in Dynamo, {BY_LAZY}x in "
        "LazyTensor (Zhang and others, USENIX ATC 2024, on GPUs). A break costs some tens of microseconds "
        "where it could be told, so the ratio is large where a call is short. An operator that LazyTensor "
        "has not lowered, such as `isneginf` in attention, ends its graph. A model that has many graphs "
        "without any break says nothing about breaks.\n"
    )


def _guards(found: Sequence[Figures]) -> Iterator[str]:
    yield "### Guards\n"
    lines = [
        [
            f"{LAYERS} linear layers of {each['model']}" if each["model"].isdigit() else each["model"],
            brief(each["us"]),
            f"{each['share'][0]:.1%} ({each['share'][1]:.1%} to {each['share'][2]:.1%})",
            brief(each["guards_us"]) if each["share"][1] > 0 else "not told from 0",
        ]
        for each in sorted(found, key=lambda each: each["us"])
    ]
    yield table(["model", "call, µs", "share of guards", "guards, µs"], lines, left=1)
    stacks = [each for each in found if each["model"].isdigit()]
    more, less = break_even(stacks)
    said = [
        f"of a call of {brief(more)} µs guards take more than {SHARE:.0%}" if more else "",
        f"of one of {brief(less)} µs less" if less else "",
    ]
    told = ", ".join(filter(None, said)) or f"no stack tells on which side of {SHARE:.0%} its share lies"
    yield (
        "\nA compiled model in one graph, against the same one that skips the guards that it may skip "
        f"(`set_stance(skip_guard_eval_unsafe=True)`). Of the stacks of linear layers: {told}.\n"
    )


def _shapes(found: Sequence[Figures]) -> Iterator[str]:
    yield "### Shapes that change\n"
    lines = [
        [
            each["model"],
            f"`{setting}`",
            f"{brief(first['seconds'])} ({brief(first['seconds_low'])} to {brief(first['seconds_high'])})",
            str(first["graphs"]),
            _times(each["over_eager"][setting]),
        ]
        for each in found
        for setting, first in each["first"].items()
    ]
    header = ["model", "dynamic", "first pass, s (three tries)", "graphs", "later passes, as fast as eager"]
    yield table(header, lines, left=2)
    yield (
        "\nA pass is one call with each batch size from 1 to 8. `off` compiles for each size anew; the "
        "others compile a batch of one by itself.\n"
    )


def _times(ratio: Sequence[float]) -> str:
    value, low, high = ratio
    return times(value, low, high)
