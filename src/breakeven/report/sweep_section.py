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
    found = [collect(sweep, limits) for sweep in sweeps.newest()]
    return [
        SweepSection(
            name=f"sweep-{each.sweep.study}",
            title=f"the sweep {each.sweep.study}",
            swept=each,
            charts=sweep_charts.charts_of(each),
        )
        for each in found
    ]
