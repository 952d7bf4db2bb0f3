"""The parts of a row that come from its timed calls: latency, speedup, and start."""

from collections.abc import Callable

import numpy as np

from breakeven.engine import cold_start
from breakeven.engine.comparison import Comparison
from breakeven.engine.disturbance import mean_ms, slow_share
from breakeven.engine.samples import Replicate
from breakeven.engine.settings import Scenario
from breakeven.engine.statistics import Interval
from breakeven.engine.tails import p99
from breakeven.results.result_row import LatencyPart, SpeedupPart, StartPart


def latency_part(
    comparison: Comparison, p50: Interval, roofline_share: float | None, scenario: Scenario, confidence: float
) -> LatencyPart:
    """Return the times of calls.

    Args:
        p50: in milliseconds.
        roofline_share: the share of the hardware's peaks that it reaches, if that is known.
        confidence: the level of the bounds.
    """
    pooled = np.concatenate([replicate.calls_ms for replicate in comparison.replicates])
    blocks = [block for replicate in comparison.replicates for block in replicate.blocks]
    per_call = sum(block.wall_ms for block in blocks) / len(pooled)
    tail = p99(comparison.replicates, confidence)
    return LatencyPart(
        latency_ms_p50=p50.value,
        latency_ms_p50_ci_low=p50.low,
        latency_ms_p50_ci_high=p50.high,
        latency_ms_p90=float(np.percentile(pooled, 90)),
        latency_ms_p99=tail.value,
        latency_ms_p99_ci_low=tail.low,
        latency_ms_p99_ci_high=tail.high,
        latency_ms_mean=mean_ms(comparison.replicates),
        slow_share=slow_share(comparison.replicates),
        throughput_per_s=1000 * scenario.batch_size / per_call,
        roofline_share=roofline_share,
    )


def speedup_part(
    comparison: Comparison,
    speedup: Interval,
    noise_floor: float | None,
    in_runtime: Interval | None,
    of_means: Interval | None,
) -> SpeedupPart:
    """Return the speedup over the baseline, over fp32 in the same runtime, and by the mean of all calls."""
    return SpeedupPart(
        speedup_of_means=of_means.value if of_means else None,
        speedup_of_means_ci_low=of_means.low if of_means else None,
        speedup_of_means_ci_high=of_means.high if of_means else None,
        speedup_in_runtime=in_runtime.value if in_runtime else None,
        speedup_in_runtime_ci_low=in_runtime.low if in_runtime else None,
        speedup_in_runtime_ci_high=in_runtime.high if in_runtime else None,
        speedup=speedup.value,
        speedup_ci_low=speedup.low,
        speedup_ci_high=speedup.high,
        min_detectable_effect=comparison.min_detectable_effect,
        noise_floor=noise_floor,
    )


def start_figures(replicates: list[Replicate]) -> StartPart:
    """Return what a start takes: memory, load and first call, each the median of the replicates."""
    cold = cold_start.cold(replicates)
    warm = [replicate for replicate in replicates if replicate.warm] or cold
    return StartPart(
        # Every load takes memory, so zero means that the hardware cannot see this runtime's memory.
        peak_memory_mb=_median(lambda r: r.peak_memory_mb, replicates) or None,
        load_s=_median(lambda r: r.load_s, warm),
        first_call_ms=_median(lambda r: r.first_call_ms, warm),
        cold_start_s=_median(cold_start.start_ms, cold) / 1000,
        calls_until_steady=_calls_until_steady(cold),
    )


def _median(figure: Callable[[Replicate], float], replicates: list[Replicate]) -> float:
    return float(np.median([figure(replicate) for replicate in replicates]))


def _calls_until_steady(replicates: list[Replicate]) -> int | None:
    """Return the median over replicates; None if a replicate never became steady."""
    counts = [cold_start.calls_until_steady(replicate) for replicate in replicates]
    known = [count for count in counts if count is not None]
    return round(float(np.median(known))) if len(known) == len(counts) else None
