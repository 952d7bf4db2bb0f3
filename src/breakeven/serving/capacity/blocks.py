"""Blocks of load on services in turn, each variant once a round, so that a slow minute meets all of them."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from breakeven.core.errors import Failed
from breakeven.serving.load.process import run_in_process
from breakeven.serving.load.result import LoadResult
from breakeven.serving.load.settings import LoadSettings

WARM_UP_S = 0.5  # of an open loop, until its queue is as long as it will be
LONGEST_S = 30.0  # of a block, however few requests come
CONNECTIONS = 64
TRIES = 3  # of a block in which the generator is late


class Blocks:
    """The services, what is sent to them, and the core of the generator."""

    def __init__(
        self, urls: Mapping[str, str], bodies: Sequence[Path], core: int, seconds: float, requests: int
    ) -> None:
        """Send nothing yet.

        Args:
            urls: name -> address of each service.
            bodies: files that are sent in turn.
            core: of the generator.
            seconds: least length of a block, besides its warm-up.
            requests: that a block of an open loop has at least, as far as time allows.
        """
        self.urls, self._bodies, self._core = urls, tuple(bodies), core
        self.seconds, self._requests = seconds, requests

    def rounds(self, number: int, seed: int = 0) -> list[list[str]]:
        """Return the names of all services for each round, in a random order."""
        chance = random.Random(seed)
        return [chance.sample([*self.urls], len(self.urls)) for _ in range(number)]

    def closed(self, name: str, body: Path | None = None) -> LoadResult:
        """Send each request when the last one is answered.

        Args:
            body: a file that is sent each time, in the place of the samples.
        """
        return self._run(name, self.seconds, closed=1, files=(body,) if body else self._bodies)

    def open(self, name: str, rate: float, seed: int) -> LoadResult:
        """Send requests at random times, `rate` a second on average.

        A block in which the generator itself is late says nothing of the service, so that it is repeated.
        """
        seconds = min(max(self.seconds, self._requests / rate), LONGEST_S)
        for _ in range(TRIES):
            found = self._run(name, seconds, rate=rate, seed=seed, files=self._bodies)
            if not found.void:
                break
        return found

    def _run(
        self,
        name: str,
        seconds: float,
        *,
        files: tuple[Path, ...],
        closed: int | None = None,
        rate: float | None = None,
        seed: int = 0,
    ) -> LoadResult:
        found = run_in_process(
            LoadSettings(
                f"{self.urls[name]}/predict",
                rate=rate,
                closed=closed,
                seconds=seconds,
                warm_up_s=0.0 if closed else WARM_UP_S,
                seed=seed,
                files=files,
                connections=CONNECTIONS,
                core=self._core,
            )
        )
        if found.errors and not found.answered:
            raise Failed(f"{name} answers no request: {', '.join(found.errors)}")
        return found
