"""What a service of a family was seen to do: latencies of one caller, and the highest rates, by variant."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, write_json


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
class ServedRecord:
    """The rows of one family on one hardware, the baseline first."""

    family: str
    hardware: str
    machine: str
    limit_ms: float  # on the p99, for the capacity
    seconds: float  # of a block
    rows: list[ServedRow]

    def write(self) -> Path:
        """Write the record, and return its file."""
        file = path(self.family, self.hardware)
        write_json(file, asdict(self))
        return file


def path(family: str, hardware: str) -> Path:
    """Return the file of a family's record on one hardware."""
    return paths.private() / "served" / f"{family}-{hardware}.json"


def read(file: Path) -> ServedRecord:
    """Return the record in a file.

    Raises:
        UserError: there is none, or another version wrote it.
    """
    values: dict[str, Any] = read_json(file)
    try:
        return ServedRecord(**{**values, "rows": [ServedRow(**row) for row in values["rows"]]})
    except (KeyError, TypeError):
        raise UserError(f"{file} is of another version: run `breakeven capacity` again.") from None
