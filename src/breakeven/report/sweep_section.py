"""What the page shows of sweeps: a section for each study's newest one that has results here."""

from dataclasses import dataclass

from breakeven.report import sweep_charts
from breakeven.report.vega import Chart
from breakeven.results import sweep_results
from breakeven.results.recommend import Limits
from breakeven.results.sweep_analysis import SweepAnalysis, collect


@dataclass(frozen=True)
class SweepSection:
    """One sweep."""

    name: str  # what links and files call it
    title: str
    swept: SweepAnalysis
    charts: list[Chart]


def sections(limits: Limits) -> list[SweepSection]:
    """One a study; what is missing of a sweep is said in its section."""
    return [section(collect(sweep, limits)) for sweep in sweep_results.newest()]


def section(swept: SweepAnalysis) -> SweepSection:
    """That of one sweep."""
    study = swept.sweep.study
    return SweepSection(f"sweep-{study}", f"the sweep {study}", swept, sweep_charts.charts_of(swept))
