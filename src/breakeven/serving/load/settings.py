"""The settings of a load test, and which of them make sense."""

import os
from dataclasses import dataclass
from pathlib import Path

from breakeven.core.errors import UserError

ARRIVALS = ("poisson", "constant")
MAX_REQUESTS = 5_000_000  # of one run, which all stay in memory
MAX_TIMEOUT_S = 3600.0  # the longest latency that the histogram holds
MAX_CONNECTIONS = 10_000


@dataclass(frozen=True)
class LoadSettings:
    """What to send to which service, when, and for how long.

    Give either `rate`, for an open loop, or `closed`, for a closed one.

    Attributes:
        url: the address that is called, as "http://127.0.0.1:8000/predict".
        rate: requests per second of an open loop, on average.
        closed: callers of a closed loop. Each sends its next request when its last one is answered.
        arrivals: "poisson" for the random times of many independent users, or "constant" for equal pauses.
        seconds: length of the counted part of the run.
        warm_up_s: length of the part before it, which has the same load and is not counted, seconds.
        seed: the seed of the random times.
        files: the bodies, which are sent in turn by POST. Without files, requests are GET.
        connections: the most connections, which is the most requests under way. Further requests wait, and
            their waiting counts as latency.
        timeout_s: the longest latency, seconds. A request that takes longer is an error.
        max_lateness_ms: the run is void if the 99th percentile of the generator's own lateness is above
            this. A generator that has a core for itself is late by some 0.1 ms. 1 ms is far from that, and
            small beside the latency of a model. Choose a tenth of the latency that matters to you.
        anywhere: allow a service that is not on this machine.
        core: the processor core that the generator runs on; None for any.

    Raises:
        UserError: a value makes no sense.
    """

    url: str
    rate: float | None = None
    closed: int | None = None
    arrivals: str = "poisson"
    seconds: float = 10.0
    warm_up_s: float = 1.0
    seed: int = 0
    files: tuple[Path, ...] = ()
    connections: int = 100
    timeout_s: float = 10.0
    max_lateness_ms: float = 1.0
    anywhere: bool = False
    core: int | None = None

    def __post_init__(self) -> None:
        if (self.rate is None) == (self.closed is None):
            raise UserError("give --rate for an open loop, or --closed for a closed one, and not both.")
        if self.arrivals not in ARRIVALS:
            raise UserError(f"--arrivals {self.arrivals}: choose {' or '.join(ARRIVALS)}.")
        self._check_numbers()
        if self.closed and self.closed > self.connections:
            raise UserError(
                f"--closed {self.closed}: each caller takes a connection, and --connections allows "
                f"{self.connections}."
            )
        if self.rate and self.rate * self.total_s > MAX_REQUESTS:
            raise UserError(
                f"--rate {self.rate:g} for {self.total_s:g} s: more than {MAX_REQUESTS:,} requests do not "
                "fit in memory; take fewer seconds."
            )
        if self.core is not None and self.core not in (usable := sorted(os.sched_getaffinity(0))):
            raise UserError(f"--core {self.core}: this process may use {', '.join(map(str, usable))}.")

    def _check_numbers(self) -> None:
        """Refuse numbers that are too large, and a seed that NumPy does not take."""
        if self.timeout_s > MAX_TIMEOUT_S:
            raise UserError(f"--timeout {self.timeout_s:g}: give at most {MAX_TIMEOUT_S:g} s.")
        for name, count in (("closed", self.closed), ("connections", self.connections)):
            if count is not None and count > MAX_CONNECTIONS:
                raise UserError(f"--{name} {count}: give at most {MAX_CONNECTIONS}.")
        if self.seed < 0:
            raise UserError(f"--seed {self.seed}: give 0 or more.")

    @property
    def total_s(self) -> float:
        """Return the time in which requests begin, the warm-up included, seconds."""
        return self.warm_up_s + self.seconds
