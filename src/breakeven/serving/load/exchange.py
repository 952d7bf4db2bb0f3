"""One request, and what became of it."""

import asyncio
from dataclasses import dataclass

TIMEOUT = "timeout"
CLOSED = "connection closed"
BAD_ANSWER = "answer is no HTTP"
NO_CONNECTION = "no connection"


@dataclass(slots=True, eq=False)
class Exchange:
    """A request and its answer. All times are readings of `time.perf_counter_ns`.

    Attributes:
        due_ns: when it should be sent. Its latency counts from here.
        number: its place in the run, which decides what is sent.
        begun_ns: when the generator had it sent, or made it wait for a connection; 0: not yet.
        ended_ns: when its answer was complete, or it failed; 0: not yet.
        cause: why it failed; "" if it did not.
        timer: what ends it when it takes too long.
    """

    due_ns: int
    number: int = 0
    begun_ns: int = 0
    ended_ns: int = 0
    cause: str = ""
    timer: asyncio.TimerHandle | None = None
