"""The record of one variant on one hardware at one batch size: a row of the summary, and all its samples."""

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
    """One row of `results/summary.csv`; None where there is no figure. `columns.py` describes them."""

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
    execution: str | None = None  # besides precisions: provider, graph, delegates, what is fused
    latency_ms_p50: float | None = None
    latency_ms_p50_ci_low: float | None = None
    latency_ms_p50_ci_high: float | None = None
    latency_ms_p90: float | None = None
    latency_ms_p99: float | None = None
    throughput_per_s: float | None = None  # images
    roofline_share: float | None = None  # the least time by the hardware's peaks over latency_ms_p50
    speedup: float | None = None  # over the baseline: above 1 is faster
    speedup_ci_low: float | None = None  # corrected for the number of variants
    speedup_ci_high: float | None = None
    noise_floor: float | None = None  # ratio, at least 1
    min_detectable_effect: float | None = None  # ratio, at least 1
    trained: bool = True  # otherwise the weights are random, and the columns of accuracy are empty
    accuracy: float | None = None  # fraction
    accuracy_top5: float | None = None
    accuracy_delta: float | None = None  # variant minus baseline
    accuracy_delta_ci_low: float | None = None
    accuracy_delta_ci_high: float | None = None
    accuracy_p_value: float | None = None  # exact McNemar
    control_delta: float | None = None  # variant minus the uncompressed model that was trained as much longer
    control_delta_ci_low: float | None = None
    control_delta_ci_high: float | None = None
    agreement: float | None = None  # share of test images with eager's class, same weights
    max_abs_error: float | None = None  # of the logits, likewise
    artifact_mb: float | None = None  # 10**6 bytes
    peak_memory_mb: float | None = None  # above what the imports took
    train_s: float | None = None  # of the compression: fine-tuning, quantization-aware training
    build_s: float | None = None
    load_s: float | None = None  # with a warm compiler cache, where the runtime keeps one
    first_call_ms: float | None = None
    cold_start_s: float | None = None  # load and the calls until steady, with an empty cache
    calls_until_steady: int | None = None
    within_limit: bool | None = None  # the largest batch, or the most callers, with p99 under the limit
    breakeven_calls: str | None = None  # a number, "never" or "undecided"
    breakeven_calls_low: str | None = None
    breakeven_calls_high: str | None = None
    replicates: int = 0
    pareto: bool | None = None
    recommended: bool | None = None

    @property
    def unreliable(self) -> bool:
        """Its run's twin came out as different from the baseline, so that no verdict can be given."""
        return self.reason.startswith("unreliable run")

    @property
    def place(self) -> str:
        """Where and how a model was called, as part of a name."""
        callers = f"-{self.scenario}{self.callers}" if self.callers > 1 else ""
        return f"{self.hardware}-batch{self.batch_size}{callers}"


SPECIAL = ("baseline", "control")  # verdicts of what the others are compared with
Cell = tuple[str, str, str, int, int]  # family, hardware, scenario, batch size, callers


def cell(row: ResultRow) -> Cell:
    """What rows have to share to be compared."""
    return row.family, row.hardware, row.scenario, row.batch_size, row.callers


def unreliable_cells(rows: Iterable[ResultRow]) -> set[Cell]:
    """Where no verdict can be given, of the baseline either."""
    return {cell(row) for row in rows if row.unreliable}


def faults(rows: Iterable[ResultRow]) -> list[str]:
    """What failed, or could not be judged, with the reasons: worth trying again."""
    found = []
    for row in rows:
        if row.unreliable:  # as all of its cell are
            found.append(f"{title(row)}: {row.reason}")
        elif row.verdict == FAILED:
            found.append(f"{row.variant} on {title(row)}: {row.reason}")
    return list(dict.fromkeys(found))


def scenario(row: ResultRow) -> Scenario:
    """How the model was called."""
    return Scenario(row.batch_size, row.callers, row.scenario == "server_processes")


def title(row: ResultRow) -> str:
    """A row's cell in words, without its family."""
    return f"{row.hardware}, {scenario(row).title}"


def folder_of(row: ResultRow) -> Path:
    """Where a variant's files lie."""
    stage = "quantize" if row.quantization else "export"
    return paths.artifacts(stage, row.family) / paths.variant(row.variant)


BREAKEVEN = ("breakeven_calls", "breakeven_calls_low", "breakeven_calls_high")


@dataclass(frozen=True)
class VariantResult:
    """A row with every block that it was computed from."""

    row: ResultRow
    replicates: list[dict[str, Any]]
    execution: dict[str, Any] = field(default_factory=dict)  # operators by time, and what else is known


@dataclass(frozen=True)
class ScenarioResult:
    """The records of one scenario of a benchmark."""

    scenario: str
    at: float  # when it was measured, seconds since the epoch
    seconds: float  # that it took
    commit: str  # of the working tree, then
    dirty: bool
    stopped: str  # why
    peaks: dict[str, Any]  # of the hardware (measure.peaks.Peaks)
    warnings: list[dict[str, str]]
    records: list[VariantResult]

    @property
    def when(self) -> str:
        """The same for people."""
        return moment(self.at)


@dataclass(frozen=True)
class BenchmarkResult:
    """The records of one family on one hardware, with all that is needed to judge and repeat them."""

    family: str
    hardware: str
    title: str  # of the dataset
    test_images: int
    settings: dict[str, Any]  # how much was measured
    machine: dict[str, Any]
    affinity: dict[str, Any]
    peaks: dict[str, Any]  # of the hardware (measure.peaks.Peaks), as probed for the last scenario
    commit: str  # of the working tree when that was measured
    dirty: bool
    seconds: float  # of measuring, whenever that was
    stopped: dict[str, str]  # scenario -> why
    warnings: list[dict[str, str]]
    records: list[VariantResult]
    # scenario -> when that was begun, seconds since the epoch, and how many seconds it took; not in old ones
    measured: dict[str, tuple[float, float]] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write as JSON."""
        write_json(path, asdict(self))


def moment(at: float) -> str:
    """A time for people, local.

    Args:
        at: seconds since the epoch.
    """
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")


def read_benchmark(path: Path) -> BenchmarkResult:
    """The benchmark in a JSON file."""
    values = read_json(path)
    try:
        records, measured = records_of(values["records"]), values.get("measured", {})
        measured = {called: tuple(span) for called, span in measured.items() if isinstance(span, list)}
        return BenchmarkResult(**{**values, "records": records, "measured": measured})
    except (KeyError, TypeError):
        raise UserError(f"{path} is of another version of Breakeven: run `dvc repro`.") from None


def records_of(values: list[dict[str, Any]]) -> list[VariantResult]:
    """As JSON holds them."""
    return [VariantResult(ResultRow(**value.pop("row")), **value) for value in map(dict, values)]
