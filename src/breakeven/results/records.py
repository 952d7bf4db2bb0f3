"""The records of benchmarks: a row for each variant, with all samples that it was computed from."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, write_json
from breakeven.engine.samples import FAILED
from breakeven.engine.settings import Scenario


@dataclass(frozen=True)
class ResultRow:
    """A row of `results/summary.csv`; None means no figure. `columns.py` describes the columns."""

    family: str
    variant: str  # compression/precision/runtime, or "twin"
    compression: str
    precision: str
    quantization: str
    executed_precision: str | None
    runtime: str
    hardware: str
    machine: str
    threads: int
    batch_size: int
    scenario: str  # "single_stream", "batch", "server_threads", "server_processes"
    callers: int
    params: int
    macs: int
    verdict: str
    reason: str
    execution: str | None = None  # besides precisions: provider, graph, delegates, fused operators
    latency_ms_p50: float | None = None
    latency_ms_p50_ci_low: float | None = None
    latency_ms_p50_ci_high: float | None = None
    latency_ms_p90: float | None = None
    latency_ms_p99: float | None = None
    throughput_per_s: float | None = None  # images
    roofline_share: float | None = None  # least time that the hardware's peaks allow / latency_ms_p50
    speedup: float | None = None  # over the baseline: above 1 is faster
    speedup_ci_low: float | None = None  # corrected for the number of variants
    speedup_ci_high: float | None = None
    noise_floor: float | None = None  # ratio, at least 1
    min_detectable_effect: float | None = None  # ratio, at least 1
    trained: bool = True  # if not, the weights are random and the columns of accuracy are empty
    accuracy: float | None = None  # fraction
    accuracy_top5: float | None = None
    accuracy_delta: float | None = None  # variant minus baseline
    accuracy_delta_ci_low: float | None = None
    accuracy_delta_ci_high: float | None = None
    accuracy_p_value: float | None = None  # exact McNemar
    control_delta: float | None = None  # variant minus its control, which had the same extra training
    control_delta_ci_low: float | None = None
    control_delta_ci_high: float | None = None
    agreement: float | None = None  # share of test images with eager's class, same weights
    max_abs_error: float | None = None  # of the logits, from eager's with the same weights
    artifact_mb: float | None = None  # 10**6 bytes
    peak_memory_mb: float | None = None  # above the memory of the imports
    train_s: float | None = None  # of the compression: fine-tuning, quantization-aware training
    build_s: float | None = None
    load_s: float | None = None  # with a warm compiler cache if the runtime keeps one
    first_call_ms: float | None = None
    cold_start_s: float | None = None  # load and the calls until steady, with an empty cache
    calls_until_steady: int | None = None
    within_limit: bool | None = None  # whether the throughput is the highest with p99 within the limit
    breakeven_calls: str | None = None  # a number, "never" or "undecided"
    breakeven_calls_low: str | None = None
    breakeven_calls_high: str | None = None
    replicates: int = 0
    pareto: bool | None = None
    recommended: bool | None = None

    @property
    def unreliable(self) -> bool:
        """Return whether the run allows no verdict, because its twin differed from the baseline."""
        return self.reason.startswith("unreliable run")

    @property
    def place(self) -> str:
        """Return the hardware and the scenario as part of a name, as "cpu-batch1"."""
        callers = f"-{self.scenario}{self.callers}" if self.callers > 1 else ""
        return f"{self.hardware}-batch{self.batch_size}{callers}"


SPECIAL = ("baseline", "control")  # verdicts of the rows that others are compared with
Cell = tuple[str, str, str, int, int]  # family, hardware, scenario, batch size, callers


def cell(row: ResultRow) -> Cell:
    """Return the cell of a row. Only rows of the same cell can be compared."""
    return row.family, row.hardware, row.scenario, row.batch_size, row.callers


def unreliable_cells(rows: Iterable[ResultRow]) -> set[Cell]:
    """Return the cells in which an unreliable run allows no verdict on any row."""
    return {cell(row) for row in rows if row.unreliable}


def faults(rows: Iterable[ResultRow]) -> list[str]:
    """Return in words the failed variants and unreliable runs, which are worth measuring again."""
    found = []
    for row in rows:
        if row.unreliable:  # one line for the cell: all its rows are unreliable
            found.append(f"{title(row)}: {row.reason}")
        elif row.verdict == FAILED:
            found.append(f"{row.variant} on {title(row)}: {row.reason}")
    return list(dict.fromkeys(found))


def scenario(row: ResultRow) -> Scenario:
    """Return the scenario of a row."""
    return Scenario(row.batch_size, row.callers, row.scenario == "server_processes")


def title(row: ResultRow) -> str:
    """Return a row's hardware and scenario in words."""
    return f"{row.hardware}, {scenario(row).title}"


def folder_of(row: ResultRow) -> Path:
    """Return the folder of a variant's files."""
    stage = "quantize" if row.quantization else "export"
    return paths.artifacts(stage, row.family) / paths.variant(row.variant)


BREAKEVEN = ("breakeven_calls", "breakeven_calls_low", "breakeven_calls_high")


@dataclass(frozen=True)
class VariantResult:
    """A row with every block of calls that it was computed from."""

    row: ResultRow
    replicates: list[dict[str, Any]]
    execution: dict[str, Any] = field(default_factory=dict)  # operators by time, and similar facts


@dataclass(frozen=True)
class ScenarioResult:
    """The records of one scenario of a benchmark."""

    scenario: str
    at: float  # when it was measured, seconds since the epoch
    seconds: float  # duration of the measurement
    commit: str  # of the working tree at that time
    dirty: bool
    stopped: str  # why the measurement ended
    peaks: dict[str, Any]  # of the hardware (`HardwarePeaks`)
    warnings: list[dict[str, str]]
    records: list[VariantResult]

    @property
    def when(self) -> str:
        """Return the local time of the measurement as text."""
        return moment(self.at)


@dataclass(frozen=True)
class BenchmarkResult:
    """The records of one family on one hardware, with all that a reader needs to judge and repeat them."""

    family: str
    hardware: str
    title: str  # of the dataset
    test_images: int
    settings: dict[str, Any]  # of the measurement: its budget
    machine: dict[str, Any]
    affinity: dict[str, Any]
    peaks: dict[str, Any]  # of the hardware (`HardwarePeaks`), as probed for the last scenario
    commit: str  # of the working tree when the last scenario was measured
    dirty: bool
    seconds: float  # duration of all measurements, cached ones included
    stopped: dict[str, str]  # scenario -> why its measurement ended
    warnings: list[dict[str, str]]
    records: list[VariantResult]
    # scenario -> its start, seconds since the epoch, and its duration in seconds; missing from old records
    measured: dict[str, tuple[float, float]] = field(default_factory=dict)

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
    """Return the benchmark in a JSON file.

    Raises:
        UserError: another version of Breakeven wrote the file.
    """
    values = read_json(path)
    try:
        records, measured = records_of(values["records"]), values.get("measured", {})
        measured = {called: tuple(span) for called, span in measured.items() if isinstance(span, list)}
        return BenchmarkResult(**{**values, "records": records, "measured": measured})
    except (KeyError, TypeError):
        raise UserError(f"{path} is of another version of Breakeven: run `dvc repro`.") from None


def records_of(values: list[dict[str, Any]]) -> list[VariantResult]:
    """Return records from the values that JSON holds."""
    return [VariantResult(ResultRow(**value.pop("row")), **value) for value in map(dict, values)]
