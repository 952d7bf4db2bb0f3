"""Two commits by what each measured in its time: at once, but with wider intervals."""

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from scipy import stats

from breakeven.config import schema
from breakeven.config.schema import Study
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.engine.statistics import POWER, UNDECIDED, WIDEST, from_logarithm, verdict
from breakeven.pipeline.compare.paired import MISSING, Change, Name
from breakeven.pipeline.compare.restore import restored
from breakeven.results import records
from breakeven.results.records import SPECIAL, ResultRow, cell, unreliable_cells


@dataclass(frozen=True)
class StoredComparison:
    """A row, and whether its run had a fault."""

    row: ResultRow
    unreliable: bool = False

    def half_width(self, confidence: float) -> float:
        """Of Student's interval of log(speedup), at any confidence.

        The stored one is at the level of Holm's step, which the row does not say. But the smallest effect
        that is found with a power of 80% is at the same level, and a known number of standard errors away.
        """
        row = self.row
        effect = math.log(row.min_detectable_effect or 1.0)
        if effect > WIDEST * 0.999:  # cut off there: its run told nothing
            return WIDEST
        half = math.log((row.speedup_ci_high or 1.0) / (row.speedup_ci_low or 1.0)) / 2
        asked, more = stats.t.ppf([(1 + confidence) / 2, POWER], row.replicates - 1)
        return float(asked) * (effect - half) / float(more)


def stored(first: str, second: str, hardware: str, pattern: str) -> list[Change]:
    """Compare what both commits measured: unpaired, so with the wider interval that this means.

    Each variant by its speedup over the eager mode of its own run, so that a slower day is no slower variant;
    whether eager itself became slower cannot be told so.

    Raises:
        UserError: they were measured on different machines, or there is nothing that both have.
    """
    study = schema.read_study()
    with restored(first, "benchmark") as a, restored(second, "benchmark") as b:
        there, here = (_read(root, hardware, pattern, study) for root in (a, b))
    common = [name for name in there if name in here]
    if not common:
        raise UserError(f"{first} and {second} have no results like {pattern} on {hardware} in common.")
    machines = ({there[name].row.machine, here[name].row.machine} for name in common)
    if several := next((both for both in machines if len(both) > 1), None):
        listed = "; ".join(sorted(several))
        raise UserError(f"{first} and {second} were measured on different machines, or versions: {listed}.")
    # By Bonferroni's rule
    confidence = 1 - (1 - study.measure.confidence) / len(common)
    changes = [change(there[name], here[name], confidence, study.measure.margin) for name in common]
    return changes + [Change(*name, MISSING) for name in there if name not in here]


def change(first: StoredComparison, second: StoredComparison, confidence: float, margin: float) -> Change:
    """The two intervals are independent, so their half-widths add as a triangle's sides."""
    before, after = first.row.speedup or 1.0, second.row.speedup or 1.0
    half = math.hypot(first.half_width(confidence), second.half_width(confidence))
    gain = from_logarithm(math.log(after / before), half)
    name = second.row.family, second.row.variant
    if first.unreliable or second.unreliable:
        return Change(*name, UNDECIDED, "of an unreliable run", gain)
    return Change(*name, verdict(gain, margin), gain=gain)


def _read(root: Path, hardware: str, pattern: str, study: Study) -> dict[Name, StoredComparison]:
    """Single streams, by family and variant; of what lies here the study's: earlier ones leave theirs."""
    found: dict[Name, StoredComparison] = {}
    for path in sorted((root / paths.BENCHMARKS).glob(f"*-{hardware}.json")):
        benchmark = records.read_benchmark(path)
        if root == Path.cwd() and benchmark.family not in study.families:
            continue
        rows = [record.row for record in benchmark.records]
        unreliable = unreliable_cells(rows)
        for row in rows:
            judged = row.speedup_ci_low and row.min_detectable_effect and row.batch_size == row.callers == 1
            if judged and row.verdict not in SPECIAL and fnmatchcase(row.variant, pattern):
                found[row.family, row.variant] = StoredComparison(row, cell(row) in unreliable)
    return found
