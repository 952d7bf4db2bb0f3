"""The record of one variant on one hardware at one batch size: a row of the summary, and all its samples."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from breakeven.errors import UserError
from breakeven.files import read_json, write_json


@dataclass(frozen=True)
class Row:
    """One row of `results/summary.csv`; None where there is no figure. Units are in the names."""

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
    scenario: str
    params: int
    macs: int
    verdict: str
    reason: str
    latency_ms_p50: float | None = None
    latency_ms_p50_ci_low: float | None = None
    latency_ms_p50_ci_high: float | None = None
    latency_ms_p90: float | None = None
    latency_ms_p99: float | None = None
    throughput_per_s: float | None = None  # images
    speedup: float | None = None  # over the baseline: above 1 is faster
    speedup_ci_low: float | None = None  # corrected for the number of variants
    speedup_ci_high: float | None = None
    noise_floor: float | None = None  # ratio, at least 1
    min_detectable_effect: float | None = None  # ratio, at least 1
    accuracy: float | None = None  # fraction
    accuracy_top5: float | None = None
    accuracy_delta: float | None = None  # variant minus baseline
    accuracy_delta_ci_low: float | None = None
    accuracy_delta_ci_high: float | None = None
    accuracy_p_value: float | None = None  # exact McNemar
    agreement: float | None = None  # share of test images with eager's class, same weights
    max_abs_error: float | None = None  # of the logits, likewise
    artifact_mb: float | None = None  # 10**6 bytes
    peak_memory_mb: float | None = None  # above what the imports took
    build_s: float | None = None
    load_s: float | None = None
    first_call_ms: float | None = None
    breakeven_calls: str | None = None  # a number, "never" or "undecided"
    breakeven_calls_low: str | None = None
    breakeven_calls_high: str | None = None
    replicates: int = 0
    pareto: bool | None = None
    recommended: bool | None = None


COLUMNS = [column.name for column in fields(Row)]


@dataclass(frozen=True)
class Record:
    """A row with every block that it was computed from."""

    row: Row
    replicates: list[dict[str, Any]]


@dataclass(frozen=True)
class Benchmark:
    """The records of one family on one hardware, with all that is needed to judge and repeat them."""

    family: str
    hardware: str
    title: str  # of the dataset
    test_images: int
    settings: dict[str, Any]  # how much was measured
    machine: dict[str, Any]
    affinity: dict[str, Any]
    commit: str
    dirty: bool
    seconds: float
    records: list[Record]

    def write(self, path: Path) -> None:
        """Write as JSON."""
        write_json(path, asdict(self))


def read(path: Path) -> Benchmark:
    """The benchmark in a JSON file."""
    values = read_json(path)
    try:
        records = [Record(Row(**r["row"]), r["replicates"]) for r in values.pop("records")]
        return Benchmark(**values, records=records)
    except (KeyError, TypeError):
        raise UserError(f"{path} is of another version of Breakeven: run `dvc repro`.") from None
