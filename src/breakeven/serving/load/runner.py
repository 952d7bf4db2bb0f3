"""A load test, in this process."""

import asyncio
import time
from collections.abc import Sequence

import numpy as np

from breakeven.serving.load import address, arrivals, bodies, loops
from breakeven.serving.load.address import Address
from breakeven.serving.load.exchange import Exchange
from breakeven.serving.load.pool import Pool
from breakeven.serving.load.quiet import plain_interrupts, quiet
from breakeven.serving.load.result import LoadResult
from breakeven.serving.load.settings import LoadSettings
from breakeven.serving.load.summary import summarize

LEAD_NS = 50_000_000  # from the end of all preparations to the start, so that the first request is not late


def run(settings: LoadSettings) -> LoadResult:
    """Send requests to a service, and return how long they took.

    Ctrl-C ends the run. The result then says so, and has the figures until then.

    Raises:
        UserError: the address is wrong, is on another machine, or nothing listens there; or a file cannot be
            sent.
    """
    target = address.find(settings.url, anywhere=settings.anywhere)
    requests = bodies.requests(target, settings.files)
    offsets_s = np.empty(0) if settings.rate is None else arrivals.times_of(settings)
    offsets_ns = np.rint(offsets_s * 1e9).astype(np.int64).tolist()
    exchanges: list[Exchange] = []
    interrupted_ns = None
    with quiet(settings.core), plain_interrupts():
        start_ns = time.perf_counter_ns() + LEAD_NS
        try:
            asyncio.run(_drive(settings, target, requests, offsets_ns, start_ns, exchanges))
        except KeyboardInterrupt:
            interrupted_ns = time.perf_counter_ns()
    return summarize(settings, exchanges, start_ns, interrupted_ns)


async def _drive(
    settings: LoadSettings,
    target: Address,
    requests: Sequence[bytes],
    offsets_ns: Sequence[int],
    start_ns: int,
    exchanges: list[Exchange],
) -> None:
    """Send all requests, note them in `exchanges`, and wait for their ends."""
    pool = Pool(target, requests, settings.connections, settings.timeout_s)
    try:
        if settings.closed is None:
            await loops.open_loop(pool, exchanges, offsets_ns, start_ns)
        else:
            end_ns = start_ns + round(settings.total_s * 1e9)
            await loops.closed_loop(pool, exchanges, settings.closed, start_ns, end_ns)
    finally:
        await pool.close()
