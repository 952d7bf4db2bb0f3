"""What the page shows of sweeps: a section for each study's newest one that has results here."""

from dataclasses import dataclass

from breakeven import sweeps
from breakeven.recommend import Limits
from breakeven.report import sweep_charts
from breakeven.report.drawing import Chart
from breakeven.report.swept import Swept, collect


@dataclass(frozen=True)
class SweepSection:
    """One sweep."""

    name: str  # what links and files call it
    title: str
    swept: Swept
    charts: list[Chart]


def sections(limits: Limits) -> list[SweepSection]:
    """One a study; what is missing of a sweep is said in its section."""
    return [section(collect(sweep, limits)) for sweep in sweeps.newest()]


def section(swept: Swept) -> SweepSection:
    """That of one sweep."""
    study = swept.sweep.study
    return SweepSection(f"sweep-{study}", f"the sweep {study}", swept, sweep_charts.charts_of(swept))
