"""What `breakeven load-test` prints: the latencies, and below them what they rest on."""

import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.core.format import HARD_SPACE, brief, counted, wrapped

if TYPE_CHECKING:
    from breakeven.serving.load import LoadResult
    from breakeven.serving.load.result import Latency

COLUMNS = ("p50", "p90", "p99", "p99.9", "max", "mean")


def show(result: "LoadResult") -> None:
    """Print the figures of a run; of a void one, only why it is void."""
    if result.interrupted:
        print("breakeven: interrupted; the figures are those until then.", file=sys.stderr)
    if result.void:
        print(f"breakeven: {result.void}.", file=sys.stderr)
        return
    console = Console(highlight=False, markup=False)
    console.print(Text(wrapped(heading(result), console.width, "", ""), "bold"))
    if result.latency:
        console.print(_table(result.latency))
    for sentence in sentences(result):
        console.print(Text(wrapped(sentence, console.width, "  ", "  ")))


def heading(result: "LoadResult") -> str:
    """Return which load went where."""
    settings = result.settings
    if settings.closed is not None:
        load = f"closed loop of {counted(settings.closed, 'caller')}"
    else:
        load = f"open loop of {settings.rate:g} requests/s, {settings.arrivals} arrivals"
    return f"{settings.url}: {load}, {settings.seconds:g}{HARD_SPACE}s"


def _table(latency: "Latency") -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("latency", no_wrap=True)
    values = (latency.p50, latency.p90, latency.p99, latency.p999, latency.max, latency.mean)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row("ms", *map(brief, values))
    return table


def sentences(result: "LoadResult") -> list[str]:
    """Return what the figures rest on: bounds, requests, errors, the generator's own lateness."""
    return [*_bounds(result), *_requests(result), *_loop(result)]


def _bounds(result: "LoadResult") -> list[str]:
    if not result.answered:
        return []
    known = [
        f"at most {brief(bound.ms)} ms with {bound.confidence:.0%} confidence"
        for bound in result.p99_bounds
        if bound.ms is not None
    ]
    found = [f"p99 is {', '.join(known)}, if requests are independent of each other."] if known else []
    return found + [
        f"No bound of p99 at {bound.confidence:.0%}: {bound.reason}."
        for bound in result.p99_bounds
        if bound.ms is None
    ]


def _requests(result: "LoadResult") -> list[str]:
    found = [f"{counted(result.requests, 'request')}, {result.answered:,} answered: {brief(result.rate)}/s."]
    if result.errors:
        causes = ", ".join(f"{cause} ({count:,})" for cause, count in result.errors.items())
        found.append(f"Errors, which have no latency: {causes}.")
    if result.under_way:
        found.append(f"Without an answer when the run was interrupted: {result.under_way:,}.")
    return found


def _loop(result: "LoadResult") -> list[str]:
    if result.settings.closed is not None:
        return ["Callers wait for their answers, so that a stall hides the requests that it would delay."]
    if not (late := result.lateness):
        return []
    return [
        "Latency counts from when a request should be sent. The generator itself was late by "
        f"{late.p50:.3f} ms (p50), {late.p99:.3f} ms (p99), {late.max:.3f} ms (max)."
    ]
