"""The builder of result rows: it joins measurements with scores, size and the cost of building."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact, fusion, operators
from breakeven.artifacts.artifact import BASELINE, EAGER, Artifact
from breakeven.engine.comparison import BASELINE as JUDGED_AGAINST
from breakeven.engine.comparison import Comparison, ComparisonSet, speedups_over
from breakeven.engine.disturbance import mean_levels
from breakeven.engine.roofline import HardwarePeaks
from breakeven.engine.settings import TWIN, Scenario
from breakeven.engine.statistics import Interval
from breakeven.plugins.tasks.base import Task
from breakeven.results import paired_scores
from breakeven.results.breakeven_part import breakeven_part
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
from breakeven.results.timing_parts import latency_part, speedup_part, start_figures

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
                    latency_part(comparison, comparison.latency_ms, share, self.scenario, self.confidence),
                    start_figures(comparison.replicates),
                ]
            if comparison.verdict == JUDGED_AGAINST:
                parts.append(SpeedupPart(speedup=1.0))
            elif comparison.speedup:
                parts.append(
                    speedup_part(
                        comparison,
                        comparison.speedup,
                        comparisons.noise_floor,
                        in_runtime.get(name),
                        of_means.get(name),
                    )
                )
                own_costs = (card, artifacts[BASELINE][1], comparison, comparisons)
                parts.append(breakeven_part(*own_costs, self.confidence))
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


def _settled(row: ResultRow) -> ResultRow:
    """Return the row without an interval of its score's change, if it computes what the baseline does."""
    if not row.is_exact or row.score_delta is None:
        return row
    return replace(row, score_delta_ci_low=row.score_delta, score_delta_ci_high=row.score_delta)


def _one_line(facts: Mapping[str, str]) -> str | None:
    return "; ".join(f"{title}: {text}" for title, text in facts.items()) or None
