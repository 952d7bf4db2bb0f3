"""The comparison of two commits by their stored results: immediate, but with wider intervals."""

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from scipy import stats

from breakeven.config import lock_check, schema
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.engine.statistics import MAX_LOG_HALF_WIDTH, POWER, UNDECIDED, from_logarithm, verdict
from breakeven.pipeline.compare.paired import MISSING, Change, Name
from breakeven.pipeline.compare.restore import WORKSPACE, restored
from breakeven.results import records
from breakeven.results.result_row import SPECIAL, ResultRow, cell, unreliable_cells


@dataclass(frozen=True)
class StoredComparison:
    """A stored row, and whether its run was unreliable."""

    row: ResultRow
    unreliable: bool = False

    def half_width(self, confidence: float) -> float:
        """Return the half-width of Student's interval of log(speedup), at any confidence.

        The stored interval is corrected for its run's variants, and the row does not contain by how much. The
        row's minimum detectable effect, at a power of 80%, has the same correction and is a known number of
        standard errors. The two together give the standard error. The degrees of freedom are those of the
        row's own replicates. Its error may have borrowed more from other rows; the interval is then too wide,
        never too narrow.
        """
        row = self.row
        effect = math.log(row.min_detectable_effect or 1.0)
        if effect > MAX_LOG_HALF_WIDTH * 0.999:  # the effect was cut off, so the run says nothing
            return MAX_LOG_HALF_WIDTH
        half = math.log((row.speedup_ci_high or 1.0) / (row.speedup_ci_low or 1.0)) / 2
        interval_quantile, power_quantile = stats.t.ppf([(1 + confidence) / 2, POWER], row.replicates - 1)
        return float(interval_quantile) * (effect - half) / float(power_quantile)


def stored(first: str, second: str, hardware: str, pattern: str) -> list[Change]:
    """Compare the stored results of both commits. They are not paired, so the intervals are wider.

    Compare each variant by its speedup over eager mode in its own run. A machine that was slower during one
    run therefore does not matter. A slowdown of eager mode itself cannot be found in this way.

    Raises:
        UserError: they were measured on different machines, or there is nothing that both have.
    """
    study = schema.read_study()
    if WORKSPACE in (first, second):
        lock_check.require_current(study)
    with restored(first, "benchmark") as a, restored(second, "benchmark") as b:
        there, here = (_read(root, hardware, pattern, study) for root in (a, b))
    common = [name for name in there if name in here]
    if not common:
        raise UserError(f"{first} and {second} have no results like {pattern} on {hardware} in common.")
    machines = ({there[name].row.machine, here[name].row.machine} for name in common)
    if several := next((both for both in machines if len(both) > 1), None):
        listed = "; ".join(sorted(several))
        raise UserError(f"{first} and {second} were measured on different machines, or versions: {listed}.")
    # Bonferroni's rule corrects for the number of variants.
    confidence = 1 - (1 - study.measure.confidence) / len(common)
    changes = [change(there[name], here[name], confidence, study.measure.margin) for name in common]
    return changes + [Change(*name, MISSING) for name in there if name not in here]


def change(first: StoredComparison, second: StoredComparison, confidence: float, margin: float) -> Change:
    """Return the change of a variant.

    The two intervals are independent, so the half-width is the root of the sum of their squares.
    """
    before, after = first.row.speedup or 1.0, second.row.speedup or 1.0
    half = math.hypot(first.half_width(confidence), second.half_width(confidence))
    gain = from_logarithm(math.log(after / before), half)
    name = second.row.family, second.row.variant
    if first.unreliable or second.unreliable:
        return Change(*name, UNDECIDED, "its run was unreliable", gain)
    return Change(*name, verdict(gain, margin), gain=gain)


def _read(root: Path, hardware: str, pattern: str, study: Study) -> dict[Name, StoredComparison]:
    """Return the rows of single streams, by family and variant.

    From the workspace, only those of the current study count, because earlier studies leave results there.
    """
    comparisons: dict[Name, StoredComparison] = {}
    for path in sorted((root / paths.BENCHMARKS).glob(f"*-{hardware}.json")):
        benchmark = records.read_benchmark(path)
        if benchmark.hardware != hardware:  # its name ends with that of this one: "big-cpu1"
            continue
        if root == Path.cwd() and benchmark.family not in study.families:
            continue
        rows = [record.row for record in benchmark.records]
        unreliable = unreliable_cells(rows)
        for row in rows:
            has_interval = (
                row.speedup_ci_low and row.min_detectable_effect and row.batch_size == row.callers == 1
            )
            if has_interval and row.verdict not in SPECIAL and fnmatchcase(row.variant, pattern):
                comparisons[row.family, row.variant] = StoredComparison(row, cell(row) in unreliable)
    return comparisons
