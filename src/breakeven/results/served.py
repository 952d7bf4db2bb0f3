"""What a service of a family was seen to do: latencies of one caller, and the highest rates, by variant."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from breakeven.core.files import read_json, write_json
from breakeven.engine.statistics import Interval, latency
from breakeven.results.time_profile import of_this_version

CONFIDENCE = 0.95


@dataclass(frozen=True)
class ServedRow:
    """One variant behind the service."""

    variant: str
    offline_p50_ms: float  # of a call, as the study measured it
    p50_ms: list[float]  # of one caller, a value for each round
    p99_ms: list[float]
    parts_ms: dict[str, float]  # of a request: network, decoding, handling, process, model
    capacity_per_s: float | None  # the highest rate that keeps the limit on the p99; None: none does
    capacity_p99_ms: list[float]  # at that rate, a value for each block
    refused_per_s: float  # the lowest rate tried that does not keep it
    is_generators_limit: bool  # at that rate it was the load generator that came late, not the service


@dataclass(frozen=True)
class RateTried:
    """A rate of requests, with batching and without."""

    per_s: float
    ratios: list[float]  # mean latency without batching over that with it, one a pair of blocks
    refused: bool = False  # whether without batching requests piled up until they were refused

    @property
    def gain(self) -> Interval | None:
        """Return how many times as soon batching answers, with an interval of 95%; None where refused."""
        return None if self.refused else latency(self.ratios, CONFIDENCE)

    @property
    def is_later(self) -> bool:
        """Return whether batching surely answers later."""
        return self.gain is not None and self.gain.high < 1

    @property
    def is_sooner(self) -> bool:
        """Return whether batching surely answers sooner."""
        return self.gain is None or self.gain.low > 1


@dataclass(frozen=True)
class BatchingRecord:
    """Dynamic batching of one variant, at growing rates."""

    max_batch: int
    max_wait_ms: float
    one_ms: float  # a call of one sample, with the way to the process
    batch_ms: float  # a call of a whole batch, divided by its samples
    predicted_per_s: float | None  # from these two, the break-even rate; None: never
    tried: list[RateTried]

    @property
    def later_up_to(self) -> float | None:
        """Return the highest rate at which batching surely answers later; None: at no rate."""
        return max((each.per_s for each in self.tried if each.is_later), default=None)

    @property
    def sooner_from(self) -> float | None:
        """Return the rate from which on batching surely answers sooner, at all higher ones, too."""
        found = None
        for each in reversed(self.tried):
            if not each.is_sooner:
                break
            found = each.per_s
        return found


@dataclass(frozen=True)
class ServedRecord:
    """The rows of one family on one hardware, the baseline first."""

    family: str
    hardware: str
    machine: str
    limit_ms: float  # on the p99, for the capacity
    seconds: float  # of a block
    rows: list[ServedRow]
    batching: BatchingRecord | None = None  # of the last variant
    reason: str = ""  # why there are no rows
    failed: bool = False  # whether another try may succeed
    batching_reason: str = ""  # why batching was not measured

    def write(self, file: Path) -> None:
        """Write the record to a file."""
        write_json(file, asdict(self))


def read(file: Path) -> ServedRecord:
    """Return the record in a file.

    Raises:
        UserError: there is none, or another version wrote it.
    """
    values: dict[str, Any] = read_json(file)
    with of_this_version(file):
        rows = [ServedRow(**row) for row in values["rows"]]
        return ServedRecord(**{**values, "rows": rows, "batching": _batching(values["batching"])})


def _batching(values: dict[str, Any] | None) -> BatchingRecord | None:
    if values is None:
        return None
    return BatchingRecord(**{**values, "tried": [RateTried(**each) for each in values["tried"]]})
