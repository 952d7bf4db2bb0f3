"""The benchmark of a family on one hardware: it measures one scenario after another."""

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from breakeven.artifacts import denormal
from breakeven.artifacts.artifact import BASELINE, Artifact
from breakeven.artifacts.dataset import Images
from breakeven.config.study import Study
from breakeven.core import cache, git, machine_lock, paths
from breakeven.core.cache import CacheKey
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.estimate import time_left
from breakeven.core.files import read_json
from breakeven.core.progress import ProgressLine, shown
from breakeven.engine.comparison import Comparison
from breakeven.engine.measure import Measurement, measure_artifacts
from breakeven.engine.roofline import HardwarePeaks, probe
from breakeven.engine.samples import FAILED, WRONG
from breakeven.engine.settings import RunProgress, Scenario
from breakeven.results import measurement_cache
from breakeven.results.assemble import RowBuilder, match_controls
from breakeven.results.records import ScenarioResult, VariantResult
from breakeven.results.result_row import ResultRow


@dataclass(frozen=True)
class FamilyBenchmark:
    """The benchmark of one family on one hardware."""

    family: str
    hardware: str
    study: Study
    artifacts: Mapping[str, tuple[Path, Artifact]]  # by variant
    test: Images
    data: str  # the dataset's digest
    data_warnings: Sequence[Mapping[str, str]] = ()  # with name, text and remedy

    @property
    def warnings(self) -> list[dict[str, str]]:
        """Return the warnings about the dataset and the models, with name, text and remedy."""
        warnings = [dict(warning) for warning in self.data_warnings]
        for card in {card.recipe: card for _, card in self.artifacts.values() if card.notes}.values():
            text = "; ".join(card.notes).removeprefix(f"{denormal.NAME}: ")
            warnings.append(
                {"name": denormal.NAME, "text": f"{card.recipe}: {text}", "remedy": denormal.REMEDY}
            )
        return warnings

    def part(self, scenario: Scenario) -> ScenarioResult:
        """Return the results of a scenario: from the cache if possible, or else measured now."""
        title = f"{self.family} on {self.hardware}, {scenario.title}"
        key = self._key(scenario)
        with cache.exclusive(key, title):
            if part := self._cached(key, title):
                return part
            with machine_lock.exclusive():
                return self._measured(scenario, title, key)

    def _key(self, scenario: Scenario) -> CacheKey:
        return measurement_cache.key_of(
            self.study, self.hardware, scenario, self.data, self._cards, self._controls
        )

    def _cached(self, key: CacheKey, title: str) -> ScenarioResult | None:
        part = measurement_cache.find(key, self.family, self.hardware, self._cards)
        if part:
            stage = f"benchmark@{self.family}-{self.hardware}"
            again = f"{measurement_cache.AGAIN_VARIABLE}=$(date +%s) dvc repro -f {stage}"
            hint = "again=true" if os.environ.get(paths.HOME_VARIABLE) else again
            print(f"{title}: as it was measured at {part.when} ({hint} measures again)", file=sys.stderr)
        return part

    def _measured(self, scenario: Scenario, title: str, key: CacheKey) -> ScenarioResult:
        settings, device = self.study.measure, self.study.option("hardware", self.hardware)
        variants = {name: folder for name, (folder, card) in self.artifacts.items() if card.status == "ok"}
        at, started = time.time(), time.monotonic()
        peaks = self._peaks
        budget = settings.budget(self.study.seed)
        with shown(title, budget.time_limit_s(len(variants))) as line:
            every = settings.scenarios()
            whole = f"scenario {every.index(scenario) + 1} of {len(every)}, " if len(every) > 1 else ""
            line.tell(0, f"{whole}{len(variants)} variants and the twin")
            hardware = self.study.hardware[self.hardware]
            tell = partial(_tell, line)
            measured = measure_artifacts(
                variants,
                hardware,
                budget,
                self.test.images,
                scenario,
                scored=True,
                progress=tell,
                costs=self._costs(variants) if settings.racing else {},
            )
        comparisons = measured.findings
        # A baseline that is unsupported is no error: the hardware is missing here, and every row says why.
        baseline = comparisons.of[BASELINE]
        if baseline.verdict in (FAILED, WRONG):
            raise UserError(f"{title}: the baseline is {baseline.verdict}: {baseline.reason}.")
        machine = read_json(paths.MACHINE)["name"]
        named = (self.hardware, device.device, machine, device.threads)
        notes = [warning["text"] for warning in self.data_warnings]
        task = self.study.task(self.family)
        judge = RowBuilder(*named, scenario, settings.confidence, task, peaks, self._controls, notes)
        commit, dirty = git.commit()
        part = ScenarioResult(
            scenario=scenario.title,
            at=at,
            commit=commit,
            dirty=dirty,
            seconds=time.monotonic() - started,
            stopped=measured.stopped,
            peaks=asdict(peaks) if peaks else {},
            warnings=[asdict(warning) for warning in measured.warnings],
            records=[
                self._record(
                    row,
                    comparisons.of.get(row.variant, Comparison(row.verdict)),
                    comparisons.levels.get(row.variant, ()),
                )
                for row in judge.rows(self.artifacts, comparisons, self.test.labels)
            ],
        )
        if sound(measured) and peaks:
            measurement_cache.keep(key, title, part)
        return part

    def _costs(self, variants: Iterable[str]) -> dict[str, tuple[float, float]]:
        """Return what each variant costs besides time: errors on the test set, and two digits of its size.

        Who is hardly smaller is no alternative to who is much faster. Nothing is known of the errors of a
        model with random weights, so all its variants are measured alike.
        """
        cards = {name: self._cards[name] for name in variants}
        if not all(card.trained and card.score is not None for card in cards.values()):
            return {}
        sign = -1.0 if self.study.task(self.family).better == "higher" else 1.0
        return {
            name: (sign * (card.score or 0.0), float(f"{card.megabytes:.2g}")) for name, card in cards.items()
        }

    @cached_property
    def _cards(self) -> Mapping[str, Artifact]:
        return {variant: card for variant, (_, card) in self.artifacts.items()}

    @cached_property
    def _controls(self) -> Mapping[str, str]:
        return match_controls(self.study.recipes())

    def _record(self, row: ResultRow, finding: Comparison, levels: Sequence[float]) -> VariantResult:
        execution: dict[str, Any] = {}
        if row.variant in self.artifacts:
            card = self.artifacts[row.variant][1]
            execution = {"kernels": card.kernels, **card.facts}
        return VariantResult(
            row, [asdict(replicate) for replicate in finding.replicates], execution, [*levels]
        )

    @cached_property
    def _peaks(self) -> HardwarePeaks | None:
        """Return the measured peaks of the hardware; None if this machine lacks it, as every row will say."""
        try:
            return probe(self.study.hardware[self.hardware])
        except Unsupported as error:
            print(error, file=sys.stderr)
            return None


def sound(measured: Measurement) -> bool:
    """Return whether to cache a measurement.

    An unreliable run or one with a failed variant is not cached, so that the next run measures it again.
    """
    comparisons = measured.findings
    return not comparisons.fault and all(finding.verdict != FAILED for finding in comparisons.of.values())


def _tell(line: ProgressLine, step: RunProgress) -> None:
    line.tell(step.spent_s, str(step), time_left(step.left_s, at_most=True) if step.left_s else "")
