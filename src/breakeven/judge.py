"""From samples to rows: estimates, corrected intervals, verdicts, accuracies, break-even calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven import accuracy, artifact
from breakeven.artifact import Artifact
from breakeven.measure import statistics
from breakeven.measure.schedule import Replicate, Samples
from breakeven.measure.statistics import Interval
from breakeven.result import Row

BASELINE, TWIN = "none/fp32/eager", "twin"
BREAKEVEN = ("breakeven_calls", "breakeven_calls_low", "breakeven_calls_high")


@dataclass(frozen=True)
class Judge:
    """The context of a benchmark's rows."""

    hardware: str
    machine: str
    threads: int
    batch_size: int
    confidence: float
    margin: float

    def rows(
        self,
        artifacts: Mapping[str, tuple[Path, Artifact]],
        samples: Mapping[str, Samples],
        labels: NDArray[np.int64],
    ) -> list[Row]:
        """One row an artifact, and the twin's."""
        base = samples[BASELINE].replicates
        ratios = {
            name: log_ratios(base, measured.replicates)
            for name, measured in samples.items()
            if measured.status == "ok" and name != BASELINE
        }
        # The twin is the control, not one of the hypotheses.
        others = [name for name in ratios if name != TWIN]
        p_values = [statistics.p_value(ratios[name]) for name in others]
        levels = dict(zip(others, statistics.holm(p_values, 1 - self.confidence), strict=True))
        twin = statistics.speedup(ratios[TWIN], self.confidence) if TWIN in ratios else None
        fault = ""
        if twin is None:
            fault = "the twin was not measured"
        elif not twin.low <= 1 <= twin.high:
            fault = "the twin's interval excludes 1"
        everything = {**artifacts, TWIN: artifacts[BASELINE]}
        right = _right(artifacts[BASELINE][0], labels)
        rows = []
        for name, (folder, card) in everything.items():
            figures: dict[str, Any] = {}
            measured = samples.get(name, Samples(status=card.status, reason=card.reason))
            if card.status == "ok":
                figures |= self._static(card, right, _right(folder, labels))
            if measured.status == "ok":
                figures |= self._times(measured.replicates)
            if name in ratios:
                confidence = self.confidence if name == TWIN else 1 - levels[name]
                gain = statistics.speedup(ratios[name], confidence)
                figures |= self._gain(gain, ratios[name], confidence)
                figures |= self._breakeven(card, measured.replicates, artifacts[BASELINE][1], base, gain)
                figures["noise_floor"] = statistics.noise_floor(twin) if twin else None
            rows.append(self._row(name, card, measured, figures, fault))
        return rows

    def _row(self, name: str, card: Artifact, measured: Samples, figures: dict[str, Any], fault: str) -> Row:
        verdict, reason = measured.status, measured.reason
        if verdict == "ok" and name == BASELINE:
            verdict, figures["speedup"] = "baseline", 1.0
        elif verdict == "ok" and name == TWIN:
            verdict, reason = "control", fault and f"unreliable run: {fault}"
        elif verdict == "ok" and fault:
            verdict, reason = statistics.UNDECIDED, f"unreliable run: {fault}"
            figures |= dict.fromkeys(BREAKEVEN, statistics.UNDECIDED)
        elif verdict == "ok":
            gain = Interval(figures["speedup"], figures["speedup_ci_low"], figures["speedup_ci_high"])
            verdict = statistics.verdict(gain, self.margin)
        return Row(
            family=card.family,
            variant=name,
            compression=card.recipe,
            precision=card.precision,
            quantization=card.quantization,
            executed_precision=None,
            runtime=card.runtime,
            hardware=self.hardware,
            machine=self.machine,
            threads=self.threads,
            batch_size=self.batch_size,
            scenario="single_stream" if self.batch_size == 1 else "batch",
            params=card.parameters,
            macs=card.macs,
            verdict=verdict,
            reason=reason,
            replicates=len(measured.replicates),
            **figures,
        )

    def _static(self, card: Artifact, base: NDArray[np.bool_], variant: NDArray[np.bool_]) -> dict[str, Any]:
        difference = accuracy.compare(base, variant, self.confidence)
        return {
            "accuracy": card.accuracy,
            "accuracy_top5": card.accuracy_top5,
            "accuracy_delta": difference.delta,
            "accuracy_delta_ci_low": difference.low,
            "accuracy_delta_ci_high": difference.high,
            "accuracy_p_value": difference.p_value,
            "agreement": card.agreement,
            "max_abs_error": card.max_abs_error,
            "artifact_mb": card.megabytes,
            "build_s": card.build_s,
        }

    def _times(self, replicates: list[Replicate]) -> dict[str, Any]:
        medians = [float(np.median(calls)) for calls in map(_calls, replicates)]
        p50 = statistics.latency(medians, self.confidence)
        pooled = np.concatenate([_calls(replicate) for replicate in replicates])
        return {
            "latency_ms_p50": p50.value,
            "latency_ms_p50_ci_low": p50.low,
            "latency_ms_p50_ci_high": p50.high,
            "latency_ms_p90": float(np.percentile(pooled, 90)),
            "latency_ms_p99": float(np.percentile(pooled, 99)),
            "throughput_per_s": 1000 * self.batch_size / float(pooled.mean()),
            "peak_memory_mb": _median(replicates, "peak_memory_mb"),
            "load_s": _median(replicates, "load_s"),
            "first_call_ms": _median(replicates, "first_call_ms"),
        }

    def _gain(self, gain: Interval, ratios: list[float], confidence: float) -> dict[str, Any]:
        return {
            "speedup": gain.value,
            "speedup_ci_low": gain.low,
            "speedup_ci_high": gain.high,
            "min_detectable_effect": statistics.detectable_effect(ratios, 1 - confidence),
        }

    def _breakeven(
        self,
        card: Artifact,
        replicates: list[Replicate],
        base_card: Artifact,
        base: list[Replicate],
        gain: Interval,
    ) -> dict[str, Any]:
        extra = one_off_ms(card, replicates) - one_off_ms(base_card, base)
        baseline = statistics.latency([float(np.mean(_calls(r))) for r in base], self.confidence).value
        calls = statistics.breakeven_calls(extra, baseline, gain)
        return dict(zip(BREAKEVEN, calls, strict=True))


def log_ratios(base: list[Replicate], variant: list[Replicate]) -> list[float]:
    """One figure a replicate: the median over rounds of log(baseline / variant) in the same round."""
    return [
        float(np.median([np.log(b.mean_ms / v.mean_ms) for b, v in zip(one.blocks, two.blocks, strict=True)]))
        for one, two in zip(base, variant, strict=True)
    ]


def one_off_ms(card: Artifact, replicates: list[Replicate]) -> float:
    """What has to be spent before the second call: build, load, first call."""
    return 1000 * (card.build_s + _median(replicates, "load_s")) + _median(replicates, "first_call_ms")


def _calls(replicate: Replicate) -> NDArray[np.float64]:
    return np.concatenate([block.calls_ms for block in replicate.blocks])


def _median(replicates: list[Replicate], name: str) -> float:
    return float(np.median([getattr(replicate, name) for replicate in replicates]))


def _right(folder: Path, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which test images the artifact in `folder` classifies as they are labelled."""
    logits = np.load(folder / artifact.SCORES)
    right: NDArray[np.bool_] = logits.argmax(1) == labels
    return right
