"""The records of benchmarks: a row for each variant, with all samples that it was computed from."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from breakeven.artifacts.artifact import BASELINE
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, write_json
from breakeven.results.record_check import (
    CHECKED,
    MachineShape,
    PeaksShape,
    ReplicateShape,
    SettingsShape,
    Shape,
    require_valid,
)
from breakeven.results.result_row import Cell, ResultRow
from breakeven.results.result_row import cell as cell_of


@dataclass(frozen=True)
class VariantResult:
    """A row with every block of calls that it was computed from."""

    __pydantic_config__: ClassVar[ConfigDict] = CHECKED

    row: ResultRow
    replicates: list[Annotated[dict[str, Any], Shape(ReplicateShape)]]
    execution: dict[str, Any] = field(default_factory=dict)  # operators by time, and similar facts
    # Log ms of a call in each replicate, to compare any two variants of a scenario; missing from old records
    levels: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class ScenarioResult:
    """The records of one scenario of a benchmark."""

    __pydantic_config__: ClassVar[ConfigDict] = CHECKED

    scenario: str
    at: float  # when it was measured, seconds since the epoch
    seconds: float  # duration of the measurement
    commit: str  # of the working tree at that time
    dirty: bool
    stopped: str  # why the measurement ended
    peaks: Annotated[dict[str, Any], Shape(PeaksShape)]  # of the hardware (`HardwarePeaks`)
    warnings: list[dict[str, str]]
    records: list[VariantResult]

    @property
    def when(self) -> str:
        """Return the local time of the measurement as text."""
        return moment(self.at)


@dataclass(frozen=True)
class BenchmarkResult:
    """The records of one family on one hardware, with all that a reader needs to judge and repeat them."""

    __pydantic_config__: ClassVar[ConfigDict] = CHECKED

    family: str
    hardware: str
    title: str  # of the dataset
    test_images: int
    settings: Annotated[dict[str, Any], Shape(SettingsShape)]  # of the measurement: its budget
    machine: Annotated[dict[str, Any], Shape(MachineShape)]
    affinity: dict[str, Any]
    peaks: Annotated[dict[str, Any], Shape(PeaksShape)]  # `HardwarePeaks`, as probed for the last scenario
    commit: str  # of the working tree when the last scenario was measured
    dirty: bool
    seconds: float  # duration of all measurements, cached ones included
    stopped: dict[str, str]  # scenario -> why its measurement ended
    warnings: list[dict[str, str]]
    records: list[VariantResult]
    # scenario -> its start, seconds since the epoch, and its duration in seconds; missing from old records
    measured: dict[str, tuple[float, float]] = field(default_factory=dict)

    def levels(self, cell: Cell) -> dict[str, NDArray[np.float64]]:
        """Return the levels of all variants that were measured side by side in a cell, the baseline first."""
        records = [record for record in self.records if cell_of(record.row) == cell and record.levels]
        records.sort(key=lambda record: record.row.variant != BASELINE)
        return {record.row.variant: np.array(record.levels) for record in records}

    def write(self, path: Path) -> None:
        """Write the benchmark as JSON."""
        write_json(path, asdict(self))


def moment(at: float) -> str:
    """Return a time as text, in the local time zone.

    Args:
        at: seconds since the epoch.
    """
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")


def read_benchmark(path: Path) -> BenchmarkResult:
    """Return the benchmark in a JSON file, after checking the type of every value.

    Raises:
        UserError: another version of Breakeven wrote the file, or it was damaged after it was written.
    """
    values = read_json(path)
    try:
        records, measured = records_of(values["records"]), values.get("measured", {})
        measured = {called: tuple(span) for called, span in measured.items() if isinstance(span, list)}
        benchmark = BenchmarkResult(**{**values, "records": records, "measured": measured})
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UserError(f"{path} is of another version of Breakeven: run `dvc repro`.") from None
    require_valid(path, benchmark)
    return benchmark


def read_scenario(path: Path) -> ScenarioResult:
    """Return the records of one scenario in a JSON file, after checking the type of every value.

    Raises:
        UserError: as of `read_benchmark`.
    """
    values = read_json(path)
    try:
        part = ScenarioResult(**{**values, "records": records_of(values["records"])})
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UserError(f"{path} is of another version of Breakeven: run `dvc repro`.") from None
    require_valid(path, part)
    return part


def records_of(values: list[dict[str, Any]]) -> list[VariantResult]:
    """Return records from the values that JSON holds."""
    return [VariantResult(_row_of(value.pop("row")), **value) for value in map(dict, values)]


def _row_of(values: dict[str, Any]) -> ResultRow:
    # Older records have an empty mark under another name; the marks are made when rows are read.
    values = {name: value for name, value in values.items() if name != "within_limit"}
    if "score" not in values:  # older records know classifiers only
        names = [name for name in values if name.startswith("accuracy") and name != "accuracy_top5"]
        values |= {name.replace("accuracy", "score"): values.pop(name) for name in names}
    # Older records tell an unreliable run by its reason alone; `compare` reads them from old commits.
    return ResultRow(**{"unreliable": values["reason"].startswith("unreliable run"), **values})
