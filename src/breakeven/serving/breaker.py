"""A breaker: after some failures in a row a variant is left alone for a while, and then tried once."""

import threading
from collections.abc import Callable
from time import monotonic


class Breaker:
    """Counts failures in a row. Threads may share it."""

    def __init__(self, failures: int, retry_s: float, clock: Callable[[], float] = monotonic) -> None:
        """Let all calls through at first.

        Args:
            failures: in a row, after which no call is let through.
            retry_s: seconds until one call is let through again.
        """
        self._most, self._retry_s, self._clock = failures, retry_s, clock
        self._lock = threading.Lock()
        self._failures, self._opened = 0, 0.0

    @property
    def is_open(self) -> bool:
        """Return whether calls are kept back."""
        return self._failures >= self._most

    def lets_through(self) -> bool:
        """Return whether to try a call; while calls are kept back, one call in each `retry_s` is a trial."""
        with self._lock:
            if not self.is_open:
                return True
            if self._clock() - self._opened < self._retry_s:
                return False
            self._opened = self._clock()  # others wait for the outcome of this trial
            return True

    def succeeded(self) -> None:
        """Note an answer: all calls are let through."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """Note a failure."""
        with self._lock:
            self._failures += 1
            self._opened = self._clock()

    def open(self) -> None:
        """Keep calls back at once."""
        with self._lock:
            self._failures = max(self._failures, self._most)
            self._opened = self._clock()
