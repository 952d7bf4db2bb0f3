"""Two commits by what each measured in its time: at once, but with wider intervals."""

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from scipy import stats

from breakeven import config, paths, result
from breakeven.compare import MISSING, Change, Name
from breakeven.errors import UserError
from breakeven.measure.statistics import UNDECIDED, from_logarithm, verdict
from breakeven.result import Row, cell, unreliable_cells
from breakeven.revision import restored


@dataclass(frozen=True)
class Stored:
    """A row, the confidence of its interval of p50, and whether its run had a fault."""

    row: Row
    confidence: float
    unreliable: bool = False

    def half_width(self, confidence: float) -> float:
        """Of Student's interval of log(p50), at another confidence than it was stored with."""
        row = self.row
        half = math.log((row.latency_ms_p50_ci_high or 1.0) / (row.latency_ms_p50_ci_low or 1.0)) / 2
        asked, had = stats.t.ppf([(1 + confidence) / 2, (1 + self.confidence) / 2], row.replicates - 1)
        return half * float(asked / had)


def stored(first: str, second: str, hardware: str, pattern: str) -> list[Change]:
    """Compare what both commits measured: unpaired, so with the wider interval that this means.

    Raises:
        UserError: they were measured on different machines, or there is nothing that both have.
    """
    study = config.read()
    with restored(first, "benchmark") as a, restored(second, "benchmark") as b:
        there, here = (_read(root, hardware, pattern) for root in (a, b))
    machines = {each.row.machine for each in [*there.values(), *here.values()]}
    if len(machines) > 1:
        listed = "; ".join(sorted(machines))
        raise UserError(f"{first} and {second} were measured on different machines, or versions: {listed}.")
    common = [name for name in there if name in here]
    if not common:
        raise UserError(f"{first} and {second} have no results like {pattern} on {hardware} in common.")
    # By Bonferroni's rule
    confidence = 1 - (1 - study.measure.confidence) / len(common)
    changes = [change(there[name], here[name], confidence, study.measure.margin) for name in common]
    return changes + [Change(*name, MISSING) for name in there if name not in here]


def change(first: Stored, second: Stored, confidence: float, margin: float) -> Change:
    """The two intervals are independent, so their half-widths add as a triangle's sides."""
    before, after = first.row.latency_ms_p50 or 1.0, second.row.latency_ms_p50 or 1.0
    half = math.hypot(first.half_width(confidence), second.half_width(confidence))
    gain = from_logarithm(math.log(before / after), half)
    name = second.row.family, second.row.variant
    if first.unreliable or second.unreliable:
        return Change(*name, UNDECIDED, "of an unreliable run", gain)
    return Change(*name, verdict(gain, margin), gain=gain)


def _read(root: Path, hardware: str, pattern: str) -> dict[Name, Stored]:
    """Single streams, by family and variant."""
    found: dict[Name, Stored] = {}
    for path in sorted((root / paths.BENCHMARKS).glob(f"*-{hardware}.json")):
        benchmark = result.read(path)
        rows = [record.row for record in benchmark.records]
        unreliable = unreliable_cells(rows)
        for row in rows:
            timed = row.latency_ms_p50_ci_low and row.batch_size == row.callers == 1
            if timed and row.verdict != "control" and fnmatchcase(row.variant, pattern):
                found[row.family, row.variant] = Stored(
                    row, benchmark.settings["confidence"], cell(row) in unreliable
                )
    return found
