"""Sections of the report that other commands leave: what they found, in sentences and charts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from breakeven.core.files import read_json, write_json
from breakeven.report.vega import Chart
from breakeven.results import extra_files


@dataclass(frozen=True)
class ExtraSection:
    """A section of the page after those of the study."""

    name: str  # in links and in names of files
    title: str
    sentences: list[str]
    charts: list[Chart]


def save(section: ExtraSection) -> None:
    """Keep a section for each later report; a section of the same name is replaced."""
    write_json(extra_files.folder() / f"{section.name}.json", asdict(section))


def saved(shown: Sequence[ExtraSection] = ()) -> Sequence[ExtraSection]:
    """Return the kept sections, by name.

    Args:
        shown: sections of the study; what they have as a chart is left out.
    """
    there = {chart.name for section in shown for chart in section.charts}
    found = [read_json(file) for file in sorted(extra_files.folder().glob("*.json"))]
    return [
        ExtraSection(**{**values, "charts": [Chart(**chart) for chart in values["charts"]]})
        for values in found
        if values["name"] not in there
    ]
