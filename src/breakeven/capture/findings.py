"""What a study of captures found, in sentences and charts, for the report and for MLflow."""

from collections.abc import Iterator, Mapping, Sequence

from breakeven.capture import way
from breakeven.capture.costs import chart
from breakeven.capture.costs.pieces import Figures, of_kind
from breakeven.capture.matrix import matrix
from breakeven.capture.outcome import Kind, Outcome
from breakeven.capture.shares import Share, shares
from breakeven.core.format import brief
from breakeven.plugins.tasks.base import at_start
from breakeven.report.extra_sections import ExtraSection

FEW = 3  # ways that are named
NAMES = {
    "idioms": "idioms",
    "rewrites": "rewritten idioms",
    "torch-examples": "cases of torch.export's own",
    "zoo": "real models",
}


def section(collections: Mapping[str, Sequence[Outcome]], costs: Mapping[str, Figures]) -> ExtraSection:
    """Return the report's section: a picture of each small collection, and one of costs."""
    charts = [
        matrix(found, at_start(f"{NAMES[name]} by ways"), name)
        for name, found in collections.items()
        if name != "zoo"
    ]
    if costs:
        charts.append(chart.added(of_kind(costs, "breaks")))
    return ExtraSection(
        "capture",
        "Who captures a model, and who is silently wrong",
        list(sentences(collections, costs)),
        charts,
    )


def sentences(collections: Mapping[str, Sequence[Outcome]], costs: Mapping[str, Figures]) -> Iterator[str]:
    """Yield what was found, the most useful first."""
    for name, outcomes in collections.items():
        found = {each: parts for each, parts in shares(outcomes).items() if parts}
        if not found:
            continue
        right, wrong = (_of_kind(found, kind) for kind in ("right", "wrong"))
        total = max(share.total for share in right.values())
        tried = {each: share.count for each, share in right.items() if share.total == total}
        least, most = (by(tried, key=lambda each: tried[each]) for by in (min, max))
        yield (
            f"Of {total} {NAMES[name]}, from {tried[least]} ({way.load(least).title}) to {tried[most]} "
            f"({way.load(most).title}) are captured whole and right. {_silent(wrong)}"
        )
    yield from _of_costs(costs)


def _of_costs(costs: Mapping[str, Figures]) -> Iterator[str]:
    for each in of_kind(costs, "breaks"):
        if each["model"] in chart.SHOWN:
            bounds = f"{brief(each['slope_us_low'])} to {brief(each['slope_us_high'])}"
            yield f"A graph break adds {brief(each['slope_us'])} µs ({bounds}) to a call of {each['model']}."
    for each in of_kind(costs, "tools"):
        value, low, high = each["parts_over_whole"]["compile"]
        seen = "" if low > 1 else ", which may be noise"
        yield (
            f"With eight breaks, a call of {each['model']} takes {value:.2f}x ({low:.2f} to {high:.2f}) as "
            f"long on one processor thread{seen}."
        )


def _silent(wrong: Mapping[str, Share]) -> str:
    """Return which ways are silently wrong most often."""
    often = sorted(wrong.items(), key=lambda pair: -pair[1].count)[:FEW]
    told = "; ".join(f"{way.load(each).title}: {share.count}" for each, share in often if share.count)
    return f"Silently wrong most often: {told}." if told else "None is silently wrong."


def _of_kind(found: Mapping[str, Sequence[Share]], kind: Kind) -> dict[str, Share]:
    """Return way -> its share of this outcome."""
    return {name: next(each for each in parts if each.kind == kind) for name, parts in found.items()}
