"""What the stage `explain` finds: why the variant to deploy takes another time than the baseline."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.files import read_json, write_json
from breakeven.results.ladder_record import LadderRecord, ladder_from
from breakeven.results.time_profile import TimeProfile, of_this_version, profile_from


@dataclass(frozen=True)
class ExplainRecord:
    """The baseline and what is to be deployed, each with its profile."""

    family: str
    hardware: str
    inputs: int  # in a call
    profiles: list[TimeProfile]  # of the baseline and of the chosen variant; empty where one is missing
    reason: str = ""  # why there are none
    failed: bool = False  # whether something broke, so that another try may succeed
    ladder: LadderRecord | None = None  # of the chosen variant's runtime; None if it was not asked for

    def write(self, file: Path) -> None:
        """Write the record."""
        write_json(file, asdict(self))


def read_explained(file: Path) -> ExplainRecord:
    """Return the record in a file of the stage `explain`.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    values = read_json(file)
    with of_this_version(file):
        profiles = [profile_from(each) for each in values.pop("profiles")]
        ladder = values.pop("ladder", None)
        return ExplainRecord(**values, profiles=profiles, ladder=ladder and ladder_from(ladder))


def explained(study: Study, root: Path = Path()) -> Iterator[ExplainRecord]:
    """Yield the records of a study that are there, family by family.

    Args:
        root: the folder in which the pipeline wrote.
    """
    for family in study.families:
        for hardware in study.hardware:
            file = root / paths.explained(family, hardware)
            if file.exists():  # a report of an earlier version has none
                yield read_explained(file)
