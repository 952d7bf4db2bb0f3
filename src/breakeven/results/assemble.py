"""The builder of result rows: it joins measurements with accuracy, size and the cost of building."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact, fusion, operators
from breakeven.artifacts.artifact import BASELINE, EAGER, Artifact
from breakeven.engine import cold_start
from breakeven.engine.comparison import BASELINE as JUDGED_AGAINST
from breakeven.engine.comparison import Comparison, ComparisonSet
from breakeven.engine.roofline import HardwarePeaks
from breakeven.engine.samples import Replicate
from breakeven.engine.settings import TWIN, Scenario
from breakeven.engine.statistics import UNDECIDED, Interval
from breakeven.results import paired_accuracy
from breakeven.results.records import BREAKEVEN, ResultRow


def match_controls(recipes: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    """Return the control of each recipe that has one.

    A control is the uncompressed model, trained for as many epochs and with the same last learning rate.

    Args:
        recipes: name -> its compressions, in the order in which they are applied.
    """
    tuned = {name: (round(sum(s.epochs for s in steps), 6), steps[-1].lr) for name, steps in recipes.items()}
    alone = {name for name, steps in recipes.items() if [step.name for step in steps] == ["control"]}
    found = {tuned[name]: name for name in sorted(alone)}
    return {name: found[tuned[name]] for name in recipes if name not in alone and tuned[name] in found}


@dataclass(frozen=True)
class RowBuilder:
    """A builder of the rows of one benchmark in one scenario."""

    hardware: str
    device: str  # torch's name of the device
    machine: str
    threads: int
    scenario: Scenario
    confidence: float
    peaks: HardwarePeaks | None = None  # of the hardware
    controls: Mapping[str, str] = field(default_factory=dict)  # recipe -> the recipe that is its control

    def rows(
        self,
        artifacts: Mapping[str, tuple[Path, Artifact]],
        findings: ComparisonSet,
        labels: NDArray[np.int64],
    ) -> list[ResultRow]:
        """Return one row for each artifact, and one for the twin.

        Args:
            artifacts: variant -> its folder and its manifest.
            labels: the classes of the test set, (N,).
        """
        right = _right(artifacts[BASELINE][0], labels)
        controls = {
            recipe: _right(artifacts[name][0], labels)
            for recipe, control in self.controls.items()
            if (name := f"{control}/{EAGER}") in artifacts and artifacts[name][1].status == "ok"
        }
        rows = []
        for name, (folder, card) in {**artifacts, TWIN: artifacts[BASELINE]}.items():
            finding = findings.of.get(name, Comparison(card.status, card.reason))
            figures: dict[str, Any] = {}
            if card.status == "ok":
                own = _right(folder, labels)
                figures |= self._static(card, right, own)
                if card.recipe in controls:
                    figures |= self._against_control(controls[card.recipe], own)
            if finding.latency_ms:
                figures |= self._times(finding)
                figures |= self._roofline(card, finding)
            if finding.verdict == JUDGED_AGAINST:
                figures["speedup"] = 1.0
            if finding.speedup:
                figures |= self._gain(finding, findings)
                if findings.fault:
                    figures |= dict.fromkeys(BREAKEVEN, UNDECIDED)
                else:
                    base = findings.of[BASELINE].replicates
                    build_ms = _beyond(card, artifacts[BASELINE][1])
                    calls = cold_start.breakeven_calls(
                        build_ms, base, finding.replicates, finding.speedup, self.confidence
                    )
                    figures |= dict(zip(BREAKEVEN, calls, strict=True))
            rows.append(self._row(name, card, artifacts[BASELINE][1], finding, figures))
        return rows

    def _row(
        self, name: str, card: Artifact, baseline: Artifact, finding: Comparison, figures: dict[str, Any]
    ) -> ResultRow:
        profiled = self.device == artifact.PROFILED_ON
        spent = operators.shares(card.executed()) if profiled else {}
        return ResultRow(
            family=card.family,
            variant=name,
            compression=card.recipe,
            precision=card.precision,
            quantization=card.quantization,
            executed_precision=operators.describe(spent) or None,
            execution=_one_line(fusion.execution_details(baseline, card)) if profiled else None,
            runtime=card.runtime,
            hardware=self.hardware,
            machine=self.machine,
            threads=self.threads,
            batch_size=self.scenario.batch_size,
            scenario=self.scenario.name,
            callers=self.scenario.callers,
            params=card.parameters,
            macs=card.macs,
            verdict=finding.verdict,
            reason=finding.reason or operators.precision_mismatch(card.precision, spent),
            trained=card.trained,
            replicates=len(finding.replicates),
            **figures,
        )

    def _static(self, card: Artifact, base: NDArray[np.bool_], variant: NDArray[np.bool_]) -> dict[str, Any]:
        scores: dict[str, Any] = {}
        if card.trained:
            difference = paired_accuracy.compare(base, variant, self.confidence)
            scores = {
                "accuracy": card.accuracy,
                "accuracy_top5": card.accuracy_top5,
                "accuracy_delta": difference.delta,
                "accuracy_delta_ci_low": difference.low,
                "accuracy_delta_ci_high": difference.high,
                "accuracy_p_value": difference.p_value,
            }
        return {
            **scores,
            "agreement": card.agreement,
            "max_abs_error": card.max_abs_error,
            "artifact_mb": card.megabytes,
            "train_s": card.train_s,
            "build_s": card.build_s,
        }

    def _against_control(self, control: NDArray[np.bool_], variant: NDArray[np.bool_]) -> dict[str, Any]:
        difference = paired_accuracy.compare(control, variant, self.confidence)
        return {
            "control_delta": difference.delta,
            "control_delta_ci_low": difference.low,
            "control_delta_ci_high": difference.high,
        }

    def _times(self, finding: Comparison) -> dict[str, Any]:
        p50, replicates = finding.latency_ms, finding.replicates
        assert p50
        pooled = np.concatenate([replicate.calls_ms for replicate in replicates])
        blocks = [block for replicate in replicates for block in replicate.blocks]
        per_call = sum(block.wall_ms for block in blocks) / len(pooled)
        cold = cold_start.cold(replicates)
        warm = [replicate for replicate in replicates if replicate.warm] or cold
        return {
            "latency_ms_p50": p50.value,
            "latency_ms_p50_ci_low": p50.low,
            "latency_ms_p50_ci_high": p50.high,
            "latency_ms_p90": float(np.percentile(pooled, 90)),
            "latency_ms_p99": float(np.percentile(pooled, 99)),
            "throughput_per_s": 1000 * self.scenario.batch_size / per_call,
            # Every load takes memory, so zero means that the hardware cannot see this runtime's memory.
            "peak_memory_mb": _median(lambda r: r.peak_memory_mb, replicates) or None,
            "load_s": _median(lambda r: r.load_s, warm),
            "first_call_ms": _median(lambda r: r.first_call_ms, warm),
            "cold_start_s": _median(cold_start.start_ms, cold) / 1000,
            "calls_until_steady": _calls_until_steady(cold),
        }

    def _roofline(self, card: Artifact, finding: Comparison) -> dict[str, Any]:
        """Return the share of the hardware's peaks that the variant reaches, in its nominal precision."""
        assert finding.latency_ms
        if self.scenario.callers > 1 or self.peaks is None:
            return {}
        precision = card.precision.partition("-")[0]
        size = (card.macs, card.parameters, card.activations, self.scenario.batch_size)
        least = self.peaks.roofline_ms(precision, *size)
        return {"roofline_share": least / finding.latency_ms.value if least else None}

    def _gain(self, finding: Comparison, findings: ComparisonSet) -> dict[str, Any]:
        assert finding.speedup
        return {
            "speedup": finding.speedup.value,
            "speedup_ci_low": finding.speedup.low,
            "speedup_ci_high": finding.speedup.high,
            "min_detectable_effect": finding.min_detectable_effect,
            "noise_floor": findings.noise_floor,
        }


def _one_line(facts: Mapping[str, str]) -> str | None:
    return "; ".join(f"{title}: {text}" for title, text in facts.items()) or None


def _beyond(card: Artifact, base: Artifact) -> Interval:
    """Return the build time of an artifact beyond the baseline's, in milliseconds, with its range."""
    return Interval(
        1000 * (card.build_s - base.build_s),
        1000 * (card.build_s_low - base.build_s_high),
        1000 * (card.build_s_high - base.build_s_low),
    )


def _median(figure: Callable[[Replicate], float], replicates: list[Replicate]) -> float:
    return float(np.median([figure(replicate) for replicate in replicates]))


def _calls_until_steady(replicates: list[Replicate]) -> int | None:
    """Return the median over replicates; None if a replicate never became steady."""
    counts = [cold_start.calls_until_steady(replicate) for replicate in replicates]
    known = [count for count in counts if count is not None]
    return round(float(np.median(known))) if len(known) == len(counts) else None


def _right(folder: Path, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which test images the artifact in `folder` classifies correctly, (N,)."""
    logits = np.load(folder / artifact.LOGITS)
    right: NDArray[np.bool_] = logits.argmax(1) == labels
    return right
