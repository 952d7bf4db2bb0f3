"""What several callers of a variant got through together, beside one caller, and what follows of it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from breakeven.core.files import read_json, write_json
from breakeven.engine.settings import ALONE, Arrangement
from breakeven.engine.statistics import Interval, latency, verdict
from breakeven.results.time_profile import of_this_version

CONFIDENCE = 0.95
MARGIN = 0.02  # arrangements that differ by less count as the same
# How a variant's threads fare beside as many processes
SHARE, WAIT, UNKNOWN = "threads run side by side", "threads wait for each other", "not told from noise"
WAITING = 0.8  # of the throughput of processes: threads that get less wait for each other


@dataclass(frozen=True)
class CallersRow:
    """One variant: calls per second of each arrangement, a value for each replicate."""

    variant: str
    per_s: list[tuple[Arrangement, list[float]]] = field(default_factory=list)
    reason: str = ""  # why there are none

    def gain(self, of: Arrangement, over: Arrangement = ALONE) -> Interval:
        """Return the throughput of one arrangement over that of another, within replicates."""
        found = dict(self.per_s)
        return latency([one / other for one, other in zip(found[of], found[over], strict=True)], CONFIDENCE)

    def arrangements(self) -> Sequence[Arrangement]:
        """Return what was measured, in order."""
        return [arrangement for arrangement, _ in self.per_s]

    def sharing(self, callers: int) -> str:
        """Return whether as many threads get through as much as processes: `SHARE`, `WAIT` or `UNKNOWN`."""
        gain = self.gain(Arrangement(1, callers, False), Arrangement(1, callers, True))
        if gain.high < WAITING:
            return WAIT
        return SHARE if gain.low > WAITING else UNKNOWN

    def verdict(self, of: Arrangement, over: Arrangement = ALONE) -> str:
        """Return whether one arrangement is faster than another, slower, the same, or undecided."""
        return verdict(self.gain(of, over), MARGIN)


@dataclass(frozen=True)
class CallersRecord:
    """The variants of one family, all on the same cores of one machine."""

    family: str
    machine: str
    cores: int
    rows: list[CallersRow]
    reason: str = ""  # why there are none
    failed: bool = False  # whether another try may succeed

    @property
    def measured(self) -> Iterator[CallersRow]:
        """Yield the rows with figures."""
        yield from (row for row in self.rows if row.per_s)

    def write(self, file: Path) -> None:
        """Write the record to a file."""
        write_json(file, asdict(self))


def read(file: Path) -> CallersRecord:
    """Return the record in a file.

    Raises:
        UserError: there is none, or another version wrote it.
    """
    values: dict[str, Any] = read_json(file)
    with of_this_version(file):
        return CallersRecord(**{**values, "rows": [_row(row) for row in values["rows"]]})


def _row(values: dict[str, Any]) -> CallersRow:
    per_s = [(Arrangement(**arrangement), rates) for arrangement, rates in values["per_s"]]
    return CallersRow(**{**values, "per_s": per_s})
