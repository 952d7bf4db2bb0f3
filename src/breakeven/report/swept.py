"""What a sweep has come to: the rows of its jobs, and what they show together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np

from breakeven import outcomes
from breakeven.errors import UserError
from breakeven.recommend import Limits
from breakeven.report import interaction, size, summary
from breakeven.report.interaction import Interaction
from breakeven.report.size import GROWS, SHRINKS, Trend
from breakeven.result import Row, cell
from breakeven.sweeps import Sweep

CONFIDENCE = 0.95
HYPOTHESIS = "torchscript"  # its gain is said to grow with the model
SPECIAL = ("baseline", "control")


@dataclass(frozen=True)
class Swept:
    """A sweep with the results that are here."""

    sweep: Sweep
    jobs: list[list[Row]]  # only the rows of one job were measured side by side
    missing: dict[str, str]  # title of a job that was done -> why there is nothing of it

    @cached_property
    def rows(self) -> list[Row]:
        """Those of all jobs."""
        return [row for job in self.jobs for row in job]

    @cached_property
    def single(self) -> list[Row]:
        """Those of one caller with batch 1."""
        return [row for row in self.rows if row.batch_size == 1 and row.callers == 1]

    @cached_property
    def plain(self) -> list[Row]:
        """Those of them that are variants of uncompressed models."""
        return [row for row in self.single if row.compression == "none" and row.verdict not in SPECIAL]

    @cached_property
    def machines(self) -> list[str]:
        """Their names."""
        return sorted({row.machine for row in self.rows})

    @cached_property
    def hardware(self) -> list[str]:
        """Their names."""
        return sorted({row.hardware for row in self.rows})

    @cached_property
    def trends(self) -> list[Trend]:
        """Those of each variant of uncompressed models on each hardware."""
        groups = groupby(sorted(self.plain, key=_place), key=_place)
        found = (size.trend(list(group), CONFIDENCE) for _, group in groups)
        return [trend for trend in found if trend]

    @cached_property
    def interactions(self) -> list[Interaction]:
        """All combinations, each within its job."""
        return [
            found
            for job in self.jobs
            for _, group in groupby(sorted(job, key=cell), key=cell)
            for found in interaction.interactions(group)
        ]

    @cached_property
    def unmeasured(self) -> dict[str, int]:
        """Variants that there are no figures of, with the reason -> how many times."""
        lost = (row for row in self.rows if row.verdict in ("unsupported", "failed"))
        return dict(Counter(f"{row.variant}, {row.verdict}: {row.reason}" for row in lost))

    @property
    def answer(self) -> str:
        """Whether TorchScript's gain grows with the model: one sentence with its evidence, or nothing."""
        mine = [trend for trend in self.trends if HYPOTHESIS in trend.variant]
        return _answer(mine) if mine else ""


def collect(sweep: Sweep, limits: Limits) -> Swept:
    """Read what the jobs have come to; what is best within `limits` is marked in each."""
    jobs, missing = [], {}
    for outcome in sweep.known():
        try:
            jobs.append(summary.rows(outcomes.benchmarks_of(outcome.key), limits))
        except UserError as error:
            missing[outcome.title] = str(error)
    return Swept(sweep, jobs, missing)


def by_family(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """Families from small to large."""
    mine: dict[str, list[Row]] = {}
    for row in rows:
        mine.setdefault(row.family, []).append(row)
    return sorted(mine.items(), key=lambda item: max(row.macs for row in item[1]))


def noise_floor(rows: Iterable[Row]) -> float:
    """The median one: a ratio, at least 1."""
    return float(np.median([row.noise_floor for row in rows if row.noise_floor] or [1.0]))


def _place(row: Row) -> tuple[str, str]:
    return row.hardware, row.variant


def _answer(found: Sequence[Trend]) -> str:
    said = {GROWS: "Yes, it grows", SHRINKS: "No, the opposite: it shrinks as the model grows"}
    verdicts = {each.verdict for each in found}
    answer = said.get(verdicts.pop(), "That is not decided") if len(verdicts) == 1 else "It depends"
    evidence = (
        f"{each.variant} on {each.hardware}: rank correlation {each.correlation.value:+.2f} "
        f"({each.correlation.low:+.2f} to {each.correlation.high:+.2f}) over {each.models} models, "
        f"faster than eager on {each.faster}, slower on {each.slower}"
        for each in found
    )
    return f"{answer} ({'; '.join(evidence)})."
