"""The builder of result rows: it joins measurements with scores, size and the cost of building."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact, fusion, operators
from breakeven.artifacts.artifact import BASELINE, EAGER, Artifact
from breakeven.engine import cold_start
from breakeven.engine.comparison import BASELINE as JUDGED_AGAINST
from breakeven.engine.comparison import Comparison, ComparisonSet, speedups_over
from breakeven.engine.disturbance import mean_levels, mean_ms, slow_share
from breakeven.engine.roofline import HardwarePeaks
from breakeven.engine.samples import Replicate
from breakeven.engine.settings import TWIN, Scenario
from breakeven.engine.statistics import UNDECIDED, Interval
from breakeven.engine.tails import p99
from breakeven.plugins.tasks.base import Task
from breakeven.results import paired_scores
from breakeven.results.result_row import (
    BreakevenPart,
    CostPart,
    LatencyPart,
    OutputPart,
    ResultRow,
    ScorePart,
    SpeedupPart,
    StartPart,
)

MOST_SHARE = 1.05  # of the roofline: above it the bound is wrong, and not only the probe's last percent
RowPart = LatencyPart | SpeedupPart | ScorePart | OutputPart | CostPart | StartPart | BreakevenPart


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
    task: Task
    peaks: HardwarePeaks | None = None  # of the hardware
    controls: Mapping[str, str] = field(default_factory=dict)  # recipe -> the recipe that is its control
    notes: Sequence[str] = ()  # on all rows, about the dataset

    def rows(
        self,
        artifacts: Mapping[str, tuple[Path, Artifact]],
        comparisons: ComparisonSet,
        targets: NDArray[Any],
    ) -> list[ResultRow]:
        """Return one row for each artifact, and one for the twin.

        Args:
            artifacts: variant -> its folder and its manifest.
            targets: of the test set, (N, ...).
        """
        base = self._scores(artifacts[BASELINE][0], targets)
        controls = {
            recipe: self._scores(artifacts[name][0], targets)
            for recipe, control in self.controls.items()
            if (name := f"{control}/{EAGER}") in artifacts and artifacts[name][1].status == "ok"
        }
        in_runtime = self._in_runtime({name: card for name, (_, card) in artifacts.items()}, comparisons)
        of_means = self._of_means(comparisons)
        rows = []
        for name, (folder, card) in {**artifacts, TWIN: artifacts[BASELINE]}.items():
            comparison = comparisons.of.get(name, Comparison(card.status, card.reason))
            parts: list[RowPart] = [self._no_score]
            remarks: dict[str, str] = {}
            if card.status == "ok":
                own = self._scores(folder, targets)
                parts += [
                    self._score(card, base, own, controls.get(card.recipe)),
                    OutputPart(agreement=card.agreement, max_abs_error=card.max_abs_error),
                    CostPart(artifact_mb=card.megabytes, train_s=card.train_s, build_s=card.build_s),
                ]
            if comparison.latency_ms:
                share = self._roofline_share(card, comparison.latency_ms.value)
                if share is not None and share > MOST_SHARE:
                    remarks["no share of the roofline"] = (
                        f"the bound does not hold, it came out at {share:.1f}"
                    )
                    share = None
                parts += [
                    self._latency(comparison, comparison.latency_ms, share),
                    start_figures(comparison.replicates),
                ]
            if comparison.verdict == JUDGED_AGAINST:
                parts.append(SpeedupPart(speedup=1.0))
            elif comparison.speedup:
                parts.append(
                    _speedup(
                        comparison,
                        comparison.speedup,
                        comparisons.noise_floor,
                        in_runtime.get(name),
                        of_means.get(name),
                    )
                )
                costs = _beyond(card, artifacts[BASELINE][1])
                parts.append(self._breakeven(costs, 1000 * card.train_s, comparison, comparisons))
            rows.append(_settled(self._row(name, card, artifacts[BASELINE][1], comparison, parts, remarks)))
        return rows

    def _in_runtime(self, cards: Mapping[str, Artifact], comparisons: ComparisonSet) -> dict[str, Interval]:
        """Return each variant's speedup over the uncompressed fp32 model in the same runtime."""
        levels = {name: np.array(own) for name, own in comparisons.levels.items()}
        plain = {
            card.settings["name"]: name
            for name, card in cards.items()
            if (card.recipe, card.precision, card.quantization) == ("none", "fp32", "") and name in levels
        }
        of_base = {base: speedups_over(base, levels, self.confidence) for base in plain.values()}
        return {
            name: of_base[base][name].interval
            for name, card in cards.items()
            if (base := plain.get(card.settings["name"])) is not None and name in of_base[base]
        }

    def _of_means(self, comparisons: ComparisonSet) -> dict[str, Interval]:
        """Return each variant's speedup over the baseline by the mean of all calls."""
        replicates = {name: comparisons.of[name].replicates for name in comparisons.levels}
        if BASELINE not in replicates:
            return {}
        speedups = speedups_over(BASELINE, mean_levels(replicates), self.confidence)
        return {name: speedup.interval for name, speedup in speedups.items()}

    def _row(
        self,
        name: str,
        card: Artifact,
        baseline: Artifact,
        comparison: Comparison,
        parts: Sequence[RowPart],
        remarks: Mapping[str, str],
    ) -> ResultRow:
        profiled = self.device == artifact.PROFILED_ON
        facts = fusion.execution_details(baseline, card) if profiled else {}
        spent = operators.shares(card.executed()) if profiled else {}
        return ResultRow(
            family=card.family,
            variant=name,
            compression=card.recipe,
            precision=card.precision,
            quantization=card.quantization,
            executed_precision=operators.describe(spent) or None,
            execution=_one_line({**facts, **remarks}),
            runtime=card.runtime,
            hardware=self.hardware,
            machine=self.machine,
            threads=self.threads,
            batch_size=self.scenario.batch_size,
            scenario=self.scenario.name,
            callers=self.scenario.callers,
            params=card.parameters,
            macs=card.macs,
            verdict=comparison.verdict,
            reason=comparison.reason or operators.precision_mismatch(card.precision, spent),
            notes="; ".join([*card.notes, *self.notes]),
            unreliable=comparison.unreliable,
            trained=card.trained,
            replicates=len(comparison.replicates),
            **{field: value for part in parts for field, value in vars(part).items()},
        )

    @property
    def _no_score(self) -> ScorePart:
        task = self.task
        return ScorePart(metric=task.metric, metric_unit=task.unit, metric_better=task.better)

    def _scores(self, folder: Path, targets: NDArray[Any]) -> NDArray[np.float64]:
        """Return the score of the artifact in `folder` on each sample of the test set, (N,)."""
        scores: NDArray[np.float64] = self.task.scores(np.load(folder / artifact.LOGITS), targets)
        return scores

    def _score(
        self,
        card: Artifact,
        base: NDArray[np.float64],
        variant: NDArray[np.float64],
        control: NDArray[np.float64] | None,
    ) -> ScorePart:
        """Return the score of a variant; each array holds the score of each test sample, (N,)."""
        part = self._no_score
        if card.trained:
            difference = paired_scores.compare(base, variant, self.confidence)
            part = replace(
                part,
                score=card.score,
                score_delta=difference.delta,
                score_delta_ci_low=difference.low,
                score_delta_ci_high=difference.high,
                score_p_value=difference.p_value,
                accuracy_top5=card.further_scores.get("accuracy_top5"),
            )
        if control is None:
            return part
        beyond = paired_scores.compare(control, variant, self.confidence)
        return replace(
            part,
            control_delta=beyond.delta,
            control_delta_ci_low=beyond.low,
            control_delta_ci_high=beyond.high,
        )

    def _latency(self, comparison: Comparison, p50: Interval, roofline_share: float | None) -> LatencyPart:
        pooled = np.concatenate([replicate.calls_ms for replicate in comparison.replicates])
        blocks = [block for replicate in comparison.replicates for block in replicate.blocks]
        per_call = sum(block.wall_ms for block in blocks) / len(pooled)
        tail = p99(comparison.replicates, self.confidence)
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
            throughput_per_s=1000 * self.scenario.batch_size / per_call,
            roofline_share=roofline_share,
        )

    def _roofline_share(self, card: Artifact, latency_ms: float) -> float | None:
        """Return the share of the hardware's peaks that the variant reaches, in its nominal precision."""
        if self.scenario.callers > 1 or self.peaks is None:
            return None
        precision = card.precision.partition("-")[0]
        macs = card.macs if card.used_macs is None else card.used_macs
        weights = card.parameters if card.used_weights is None else card.used_weights
        size = (macs, weights, card.activations, self.scenario.batch_size)
        least = self.peaks.roofline_ms(precision, *size)
        return least / latency_ms if least else None

    def _breakeven(
        self, build_ms: Interval, train_ms: float, comparison: Comparison, comparisons: ComparisonSet
    ) -> BreakevenPart:
        """Return the break-even calls of a variant.

        Args:
            build_ms: the time to build it, beyond the baseline's.
            train_ms: the time to train its compression; 0 if nothing was trained.
        """
        calls, low, high = self._calls(_shifted(build_ms, train_ms), comparison, comparisons)
        untrained = self._calls(build_ms, comparison, comparisons)[0] if train_ms else None
        return BreakevenPart(
            breakeven_calls=calls,
            breakeven_calls_low=low,
            breakeven_calls_high=high,
            breakeven_calls_without_training=untrained,
        )

    def _calls(
        self, once_ms: Interval, comparison: Comparison, comparisons: ComparisonSet
    ) -> tuple[str, str, str]:
        if comparisons.fault or not comparison.speedup:
            return (UNDECIDED,) * 3
        base = comparisons.of[BASELINE].replicates
        return cold_start.breakeven_calls(
            once_ms, base, comparison.replicates, comparison.speedup, self.confidence
        )


def _settled(row: ResultRow) -> ResultRow:
    """Return the row without an interval of its score's change, if it computes what the baseline does."""
    if not row.is_exact or row.score_delta is None:
        return row
    return replace(row, score_delta_ci_low=row.score_delta, score_delta_ci_high=row.score_delta)


def _shifted(interval: Interval, by: float) -> Interval:
    return Interval(interval.value + by, interval.low + by, interval.high + by)


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


def _speedup(
    comparison: Comparison,
    speedup: Interval,
    noise_floor: float | None,
    in_runtime: Interval | None,
    of_means: Interval | None,
) -> SpeedupPart:
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
