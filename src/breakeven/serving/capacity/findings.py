"""What a service was seen to do, in sentences and a chart."""

from collections.abc import Iterator

import altair as alt

from breakeven.core.format import brief, times
from breakeven.engine.statistics import Interval, latency
from breakeven.report.extra_sections import ExtraSection
from breakeven.report.vega import LINE_HEIGHT, Chart, Point, names, spec, tips
from breakeven.results.served import CONFIDENCE, BatchingRecord, ServedRecord, ServedRow

PARTS = {
    "network": "HTTP and the network",
    "decoding": "decoding the body",
    "handling": "the rest of the service",
    "process": "the way to the model's process and back",
    "model": "the model",
}


def section(record: ServedRecord) -> ExtraSection:
    """Return the report's section on one family."""
    return ExtraSection(
        f"served-{record.family}-{record.hardware}",
        f"What is left of the speedup behind a service: {record.family} on {record.hardware}",
        list(sentences(record)),
        [chart(record)],
    )


def speedup(baseline: ServedRow, row: ServedRow) -> Interval:
    """Return how many times as fast one caller is answered, by the medians of each round."""
    ratios = [one / other for one, other in zip(baseline.p50_ms, row.p50_ms, strict=True)]
    return latency(ratios, CONFIDENCE)


def sentences(record: ServedRecord) -> Iterator[str]:
    """Yield the served speedup beside the offline one, what a request takes, and the highest rates."""
    baseline, *others = record.rows
    for row in others:
        gain = speedup(baseline, row)
        yield (
            f"One caller is answered {times(gain.value, gain.low, gain.high)} as fast with "
            f"{row.variant} as with {baseline.variant}. Offline, the model alone is "
            f"{baseline.offline_p50_ms / row.offline_p50_ms:.2f}x as fast."
        )
    for row in record.rows:
        whole = sum(row.parts_ms.values())
        told = ", ".join(f"{PARTS[name]} {ms / whole:.0%}" for name, ms in row.parts_ms.items())
        p50 = latency(row.p50_ms, CONFIDENCE).value
        yield f"A request to {row.variant} takes {brief(p50)} ms (p50): {told}."
    for row in record.rows:
        yield f"{row.variant}: {_capacity(row, record)}."
    bounded = not any(row.is_generators_limit for row in record.rows)
    if bounded and len(others) == 1 and baseline.capacity_per_s and (own := others[0].capacity_per_s):
        yield f"So it serves {own / baseline.capacity_per_s:.1f} times as many requests a second."
    if record.batching_reason:
        yield f"Batching was not measured: {record.batching_reason}."
    if record.batching:
        yield from batching_sentences(record.rows[-1].variant, record.batching)


def batching_sentences(variant: str, found: BatchingRecord) -> Iterator[str]:
    """Yield from which rate on dynamic batching answers sooner, beside what was to be expected."""
    waiting = f"which wait at most {found.max_wait_ms:g} ms"
    what = f"{variant} with up to {found.max_batch} requests a call, {waiting}"
    tried = f"{found.tried[0].per_s:,.0f} to {found.tried[-1].per_s:,.0f}" if found.tried else "no"
    if found.sooner_from is None:
        yield f"{what}: at the rates that were tried ({tried} a second), batching is not surely sooner."
    elif found.later_up_to is None or found.later_up_to > found.sooner_from:
        yield f"{what}: batching surely answers sooner from {found.sooner_from:,.0f} requests a second on."
    else:
        yield (
            f"{what}: batching surely answers later up to {found.later_up_to:,.0f} requests a second, and "
            f"surely sooner from {found.sooner_from:,.0f} on. Between, it is not told from noise."
        )
    expected = (
        "never pays"
        if found.predicted_per_s is None
        else f"pays from {found.predicted_per_s:,.0f} requests a second on"
    )
    yield (
        f"By the theory of queues (M/D/1), batching {expected}. It shortens the call only, with the way to "
        f"the process: from {brief(found.one_ms)} ms to {brief(found.batch_ms)} ms a sample."
    )


def _capacity(row: ServedRow, record: ServedRecord) -> str:
    limit = f"99% of the requests within {record.limit_ms:g} ms"
    if row.capacity_per_s is None:
        late = "; the load generator was late" if row.is_generators_limit else ""
        return f"no rate was found at which it surely answers {limit}{late}"
    words = f"at up to {row.capacity_per_s:,.0f} requests a second it surely answers {limit}"
    if row.is_generators_limit:
        return f"{words}; the load generator could send no more on its core"
    return f"{words}, at {row.refused_per_s:,.0f} not surely"


def chart(record: ServedRecord) -> Chart:
    """Return bars of what a request takes, part by part."""
    data: list[Point] = [
        {"variant": row.variant, "part": words, "ms": row.parts_ms[name], "order": number}
        for row in record.rows
        for number, (name, words) in enumerate(PARTS.items())
    ]
    bars = (
        alt.Chart(alt.NamedData("table"))
        .mark_bar()
        .encode(
            y=names("variant", [row.variant for row in record.rows]),
            x=alt.X("ms:Q", stack=True, title="mean of a request, ms"),
            color=alt.Color("part:N", sort=[*PARTS.values()], title=None),
            order="order:O",
            tooltip=tips("variant", "part", ms=".3f"),
        )
    )
    return Chart(
        f"served-{record.family}-{record.hardware}",
        f"{record.family} on {record.hardware}: what a request takes",
        "One caller, who sends a request when the last one is answered.",
        data,
        spec(bars, LINE_HEIGHT * len(record.rows)),
        summary="; ".join(f"{row.variant}: {sum(row.parts_ms.values()):.3g} ms" for row in record.rows),
    )
