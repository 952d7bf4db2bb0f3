"""What a study of captures found, in sentences and charts, for the report and for MLflow."""

from collections.abc import Iterator, Mapping, Sequence

from breakeven.capture import way
from breakeven.capture.costs import chart, tables
from breakeven.capture.costs.pieces import Figures, of_kind
from breakeven.capture.matrix import matrix
from breakeven.capture.outcome import Kind, Outcome
from breakeven.capture.shares import Share, shares
from breakeven.core.format import brief
from breakeven.plugins.tasks.base import at_start
from breakeven.report.extra_sections import ExtraSection

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
        right, wrong = _counts(found, "right"), _counts(found, "wrong")
        best, worst = max(right, key=lambda each: right[each]), max(wrong, key=lambda each: wrong[each])
        total = found[best][0].total
        silent = (
            f"the most often silently wrong is {way.load(worst).title} ({wrong[worst]})"
            if wrong[worst]
            else "no way is silently wrong"
        )
        yield (
            f"Of {total} {NAMES[name]}, {right[best]} are right in one graph by the best way, "
            f"{way.load(best).title}; {silent}."
        )
    yield from _of_costs(costs)


def _of_costs(costs: Mapping[str, Figures]) -> Iterator[str]:
    for each in of_kind(costs, "breaks"):
        if each["model"] in chart.SHOWN:
            bounds = f"{brief(each['slope_us_low'])} to {brief(each['slope_us_high'])}"
            yield f"A graph break adds {brief(each['slope_us'])} µs ({bounds}) to a call of {each['model']}."
    for each in of_kind(costs, "tools"):
        value, low, high = each["parts_over_whole"]["compile"]
        yield (
            f"Nine graphs of {each['model']} take {value:.2f}x ({low:.2f} to {high:.2f}) as long as one; "
            f"published: {tables.BY_DYNAMO}x."
        )


def _counts(found: Mapping[str, Sequence[Share]], kind: Kind) -> dict[str, int]:
    """Return way -> how many models have this outcome."""
    return {name: next(each.count for each in parts if each.kind == kind) for name, parts in found.items()}
