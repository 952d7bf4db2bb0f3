"""Who decides when a request is sent: the clock, in an open loop, or the last answer, in a closed one."""

import time
from collections.abc import Sequence

from breakeven.serving.load.exchange import Exchange
from breakeven.serving.load.pacing import until
from breakeven.serving.load.pool import Pool


async def open_loop(pool: Pool, exchanges: list[Exchange], offsets_ns: Sequence[int], start_ns: int) -> None:
    """Send each request at its time, whatever becomes of the earlier ones, and wait for all answers.

    Users do not wait for each other. While a service stalls, their requests pile up, and all of them are
    late.

    Args:
        exchanges: where to note the requests.
        offsets_ns: the times of the requests, in order, counted from `start_ns`.
        start_ns: when to begin, as of `time.perf_counter_ns`.
    """
    for number, offset_ns in enumerate(offsets_ns):
        exchange = Exchange(start_ns + offset_ns, number)
        await until(exchange.due_ns)
        exchanges.append(exchange)
        pool.begin(exchange)
    await pool.drained()


async def closed_loop(
    pool: Pool, exchanges: list[Exchange], callers: int, start_ns: int, end_ns: int
) -> None:
    """Let each caller send a request when its last one has ended, and wait for all answers.

    While a service stalls, the callers send nothing. The stall is one slow request for each of them, and the
    requests that users would have sent meanwhile are missing ("coordinated omission").

    Args:
        exchanges: where to note the requests.
        start_ns: when to begin, as of `time.perf_counter_ns`.
        end_ns: when to send no more.
    """

    def send() -> None:
        if (now_ns := time.perf_counter_ns()) < end_ns:
            exchange = Exchange(now_ns, len(exchanges))
            exchanges.append(exchange)
            pool.begin(exchange)

    await until(start_ns)
    pool.on_end = send
    for _ in range(callers):
        send()
    await pool.drained()
