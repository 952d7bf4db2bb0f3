"""Rows and records of a study that nobody measured, for tests of what is made of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.report import sweep_charts
from breakeven.report.sweep_charts import SweepSection
from breakeven.results.records import BenchmarkResult, VariantResult
from breakeven.results.result_row import ResultRow, scenario
from breakeven.results.sweep_analysis import SweepAnalysis
from breakeven.results.sweep_results import DONE, FAILED, JobOutcome, Sweep

PLACE: dict[str, Any] = {
    **{"hardware": "cpu1", "machine": "a machine, 2 cores", "threads": 1, "batch_size": 1},
    **{"scenario": "single_stream", "callers": 1, "params": 1000, "macs": 2000},
}


def row(variant: str, verdict: str = "faster", **figures: Any) -> ResultRow:
    """A row of the CNN; what is not given is that of the baseline."""
    recipe, precision, runtime = variant.split("/") if "/" in variant else ("none", "fp32", "eager")
    known: dict[str, Any] = {
        **{"latency_ms_p50": 2.0, "latency_ms_p50_ci_low": 1.9, "latency_ms_p50_ci_high": 2.1},
        **{"latency_ms_p99": 3.0, "score": 0.9, "score_delta": 0.0, "score_p_value": 1.0},
        **{"score_delta_ci_low": -0.001, "score_delta_ci_high": 0.001},
        **{"artifact_mb": 4.0, "peak_memory_mb": 30.0, "build_s": 1.0, "cold_start_s": 0.2, "load_s": 0.1},
        **{"speedup": 1.0, "noise_floor": 1.02, "replicates": 5},
    }
    gain = figures.get("speedup", 1.0)
    if verdict != "baseline" and gain:
        known |= {"speedup_ci_low": 0.95 * gain, "speedup_ci_high": 1.05 * gain, "breakeven_calls": "100"}
    names = {"variant": variant, "compression": recipe, "precision": precision, "runtime": runtime}
    names |= {"family": "cnn", "quantization": "", "executed_precision": precision, "reason": ""}
    return ResultRow(verdict=verdict, **{**names, **PLACE, **known, **figures})


BASELINE = row("none/fp32/eager", "baseline")
TWIN = row("twin", "twin", speedup=1.001)


def levels(rows: Sequence[ResultRow], noise: float = 0.01) -> dict[str, NDArray[np.float64]]:
    """The log times of six replicates that go with the rows' speedups, each with an error of its own."""
    draw = np.random.default_rng(0)
    found = {}
    for each in rows:
        error = draw.normal(0, noise, 6)
        if each.latency_ms_p50:
            found[each.variant] = np.log(2 / (each.speedup or 1.0)) + error - error.mean()
    return found


def benchmark(rows: Sequence[ResultRow], images: int = 10_000, **more: Any) -> BenchmarkResult:
    """The record that holds them, two blocks each."""
    first = rows[0] if rows else BASELINE
    blocks = [{"round": n, "calls_ms": [1.9, 2.0, 2.0, 2.4]} for n in range(2)]
    own = levels(rows)
    known: dict[str, Any] = {
        **{"family": first.family, "hardware": first.hardware, "title": "digits", "test_images": images},
        "settings": {"latency_limit_ms": None, "confidence": 0.95, "margin": 0.01},
        "machine": {"name": first.machine, "cores": 2, "versions": {"torch": "2.14.0"}},
        **{"affinity": {}, "peaks": {}, "commit": "0123456789abcdef", "dirty": False, "seconds": 1.5},
        "stopped": {scenario(each).title: "5 replicates done" for each in rows},
        "warnings": [],
        "records": [
            VariantResult(each, [{"blocks": blocks}], {}, own[each.variant].tolist())
            if each.latency_ms_p50
            else VariantResult(each, [])
            for each in rows
        ],
    }
    return BenchmarkResult(**{**known, **more})


# Variant -> the factor of its speedup for ten times the work; with 100 million MACs they gain 2x, 3x, ...
GROWTH = {"none/fp32/torchscript_frozen": 0.5, "none/fp32/onnxruntime": 0.8}


def job(size: int, hardware: str = "cpu1", growth: dict[str, float] = GROWTH) -> list[ResultRow]:
    """The rows of a model of 10**`size` MACs."""
    made = [
        row(
            variant,
            speedup=(2 + number) * factor ** (size - 8),
            breakeven_calls=str((1 + number) * 10 ** (10 - size)),
            breakeven_calls_low="0",
            breakeven_calls_high=str(10 ** (12 - size)),
        )
        for number, (variant, factor) in enumerate(growth.items())
    ]
    changes = {"family": f"net{size}", "macs": 10**size, "params": 10 ** (size - 2), "hardware": hardware}
    return [replace(each, **changes) for each in (BASELINE, TWIN, *made)]


def sweep(jobs: Sequence[Sequence[ResultRow]], failed: Sequence[str] = (), **more: Any) -> SweepSection:
    """The section of a sweep of these jobs, and of as many that failed for these reasons."""
    outcomes = [JobOutcome(f"job={number}", [], DONE, f"key{number}") for number, _ in enumerate(jobs)]
    outcomes += [JobOutcome(f"bad={reason}", [], FAILED, reason, reason) for reason in failed]
    known = {"name": "scaling-0", "study": "scaling", "command": "breakeven-sweep study=scaling"}
    known["growing_runtime"] = "TorchScript"
    missing = more.pop("missing", {})
    swept = SweepAnalysis(Sweep(**{**known, **more}, jobs=outcomes), [list(each) for each in jobs], missing)
    return sweep_charts.section(swept)
