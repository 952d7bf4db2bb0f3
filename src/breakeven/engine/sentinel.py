"""A fixed piece of work that tells how fast the machine is at a moment, whatever the variant does."""

import time
from itertools import repeat

BYTES = 2**23  # more than a core's own caches hold, so that the shared cache and memory take part
TURNS = 10_000  # of an empty loop, which depends on the core alone


class Sentinel:
    """Work of about a millisecond, half in memory and half in the core."""

    def __init__(self) -> None:
        """Fill the memory that the work reads."""
        self._memory = b"\1" * BYTES

    def ms(self) -> float:
        """Return how long the work takes now, milliseconds."""
        began = time.perf_counter_ns()
        self._memory.find(b"\0")
        for _ in repeat(None, TURNS):
            pass
        return (time.perf_counter_ns() - began) / 1e6
