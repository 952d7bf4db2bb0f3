"""A limit of time for code of other libraries, which may search for ever."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TimeLimitReached(BaseException):
    """A block took longer than its limit. The block's own `except Exception` does not catch it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt the block when `seconds` have passed. It works in the main thread, between lines of Python.

    Raises:
        TimeLimitReached: the block took longer.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise TimeLimitReached

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, interrupt)
    others, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, handler)
        if others:  # the rest of a limit around this one
            signal.setitimer(signal.ITIMER_REAL, max(others - (time.monotonic() - began), 0.001), interval)
