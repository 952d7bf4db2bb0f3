"""Waiting until a given moment, more exactly than an event loop does."""

import asyncio
import time

# asyncio rounds its pauses up to whole milliseconds, and the system wakes a process a little later. The rest
# of the time passes in turns of the event loop, which reads answers meanwhile.
TURNING_S = 1.5e-3


async def until(due_ns: int) -> None:
    """Wait until a reading of `time.perf_counter_ns`. If it has passed, give the event loop one turn."""
    await asyncio.sleep(max(0.0, (due_ns - time.perf_counter_ns()) / 1e9 - TURNING_S))
    while time.perf_counter_ns() < due_ns:
        await asyncio.sleep(0)
