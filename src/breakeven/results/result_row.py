"""A row of `results/summary.csv`, in its typed parts."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict

from breakeven.core import paths
from breakeven.engine.samples import FAILED
from breakeven.engine.settings import TWIN, Scenario
from breakeven.results.record_check import CHECKED

SPECIAL = ("baseline", "twin")  # verdicts of the rows that others are compared with
Cell = tuple[str, str, str, int, int]  # family, hardware, scenario, batch size, callers


@dataclass(frozen=True, kw_only=True)
class LatencyPart:
    """The times of calls, over all replicates."""

    latency_ms_p50: float | None = None
    latency_ms_p50_ci_low: float | None = None
    latency_ms_p50_ci_high: float | None = None
    latency_ms_p90: float | None = None
    latency_ms_p99: float | None = None
    latency_ms_p99_ci_low: float | None = None  # both None if the data cannot hold bounds
    latency_ms_p99_ci_high: float | None = None
    latency_ms_mean: float | None = None  # of all calls
    slow_share: float | None = None  # of calls: a quarter longer than the middle one of their replicate
    throughput_per_s: float | None = None  # inputs
    roofline_share: float | None = None  # least time that the hardware's peaks allow / latency_ms_p50


@dataclass(frozen=True, kw_only=True)
class SpeedupPart:
    """The speedup over the baseline, and how fine the run could see."""

    speedup: float | None = None  # above 1 is faster
    speedup_ci_low: float | None = None  # corrected for the number of variants
    speedup_ci_high: float | None = None
    speedup_of_means: float | None = None  # of all calls, those in bursts included
    speedup_of_means_ci_low: float | None = None
    speedup_of_means_ci_high: float | None = None
    speedup_in_runtime: float | None = None  # over the uncompressed fp32 model in the same runtime
    speedup_in_runtime_ci_low: float | None = None
    speedup_in_runtime_ci_high: float | None = None
    noise_floor: float | None = None  # ratio, at least 1
    min_detectable_effect: float | None = None  # ratio, at least 1


@dataclass(frozen=True, kw_only=True)
class ScorePart:
    """The score by the task's metric, and what it lost; the figures are None if the weights are random."""

    metric: str = "accuracy"
    metric_unit: str = "%"  # "%": scores are fractions
    metric_better: str = "higher"  # or "lower"
    score: float | None = None  # mean over the test set
    score_delta: float | None = None  # variant minus baseline
    score_delta_ci_low: float | None = None
    score_delta_ci_high: float | None = None
    score_p_value: float | None = None  # exact McNemar for scores of 0 and 1, else of a paired t
    accuracy_top5: float | None = None  # of a classifier with more than five classes
    control_delta: float | None = (
        None  # score of the variant minus its control, which had the same extra training
    )
    control_delta_ci_low: float | None = None
    control_delta_ci_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class OutputPart:
    """How the outputs differ from eager's with the same weights."""

    agreement: float | None = None  # share of decisions that are eager's; None where outputs are none
    max_abs_error: float | None = None  # of the outputs


@dataclass(frozen=True, kw_only=True)
class CostPart:
    """What the variant costs to make."""

    artifact_mb: float | None = None  # 10**6 bytes
    train_s: float | None = None  # of the compression: fine-tuning, quantization-aware training
    build_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class StartPart:
    """What each process pays before its calls are fast, and what it holds."""

    peak_memory_mb: float | None = None  # above the memory of the imports
    load_s: float | None = None  # with a warm compiler cache if the runtime keeps one
    first_call_ms: float | None = None
    cold_start_s: float | None = None  # load and the calls until steady, with an empty cache
    calls_until_steady: int | None = None


@dataclass(frozen=True, kw_only=True)
class BreakevenPart:
    """The number of calls that pay back what the variant costs once: a number, "never" or "undecided"."""

    breakeven_calls: str | None = None
    breakeven_calls_low: str | None = None
    breakeven_calls_high: str | None = None
    breakeven_calls_without_training: str | None = None  # None if its compression trained nothing


@dataclass(frozen=True, kw_only=True)
class ResultRow(LatencyPart, SpeedupPart, ScorePart, OutputPart, CostPart, StartPart, BreakevenPart):
    """A row of `results/summary.csv`; None means no figure. `columns.py` describes the columns."""

    __pydantic_config__: ClassVar[ConfigDict] = CHECKED

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
    unreliable: bool = False  # whether the run gives no verdict, because its twin differed from the baseline
    notes: str = ""  # what a reader of the figures has to know: images in two splits, denormal numbers
    execution: str | None = None  # besides precisions: provider, graph, delegates, fused operators
    trained: bool = True  # if not, the weights are random and the columns of accuracy are empty
    replicates: int = 0
    best_within_limit: bool | None = None  # whether the throughput is the highest with p99 within the limit
    pareto: bool | None = None
    recommended: bool | None = None
    beyond_limits: str = ""  # in words: which of the study's limits it may exceed

    @property
    def is_twin(self) -> bool:
        """Return whether this is the twin, an identical copy of the baseline."""
        return self.variant == TWIN

    @property
    def is_exact(self) -> bool:
        """Return whether a row is the uncompressed model in fp32, with eager's decision for every sample.

        Its outputs are within `export.max_relative_error` of eager's, or it would be `wrong`. It computes the
        same function, so its score needs no test, however few samples there are.
        """
        return self.compression == "none" and self.precision == "fp32" and self.agreement == 1.0

    @property
    def accuracy(self) -> float | None:
        """Return the score of a classifier, a fraction; None of other models."""
        return self.score if self.metric == "accuracy" else None

    @property
    def accuracy_delta(self) -> float | None:
        """Return the accuracy minus the baseline's; None of other models."""
        return self.score_delta if self.metric == "accuracy" else None

    @property
    def accuracy_delta_ci_low(self) -> float | None:
        """Return the lower end of its interval."""
        return self.score_delta_ci_low if self.metric == "accuracy" else None

    @property
    def accuracy_delta_ci_high(self) -> float | None:
        """Return the upper end of its interval."""
        return self.score_delta_ci_high if self.metric == "accuracy" else None

    @property
    def accuracy_p_value(self) -> float | None:
        """Return the p-value of the exact McNemar test against the baseline."""
        return self.score_p_value if self.metric == "accuracy" else None

    @property
    def place(self) -> str:
        """Return the hardware and the scenario as part of a name, as "cpu-batch1"."""
        callers = f"-{self.scenario}{self.callers}" if self.callers > 1 else ""
        return f"{self.hardware}-batch{self.batch_size}{callers}"


def fastest_first(rows: Iterable[ResultRow]) -> list[ResultRow]:
    """Return the rows that have a speedup, the fastest first."""
    return sorted((row for row in rows if row.speedup), key=lambda row: -(row.speedup or 0.0))


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
