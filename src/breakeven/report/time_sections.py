"""The report's sections on where the time goes, what can be gained, and why the choice is faster."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.report import time_charts
from breakeven.report.extra_sections import ExtraSection
from breakeven.results import time_profile, waterfall
from breakeven.results.gains import Gain, gains
from breakeven.results.result_row import ResultRow
from breakeven.results.time_profile import ExplainRecord, ProfileRecord, TimeProfile, duration

SLOWEST = 3  # modules that are named
SEEN = 1.01  # a smaller inflation of the profiler is noise
SHOWN_SHARE = 0.02  # of a call: kinds of operators that take less are not named


def sections(study: Study, rows: Sequence[ResultRow], root: Path = Path()) -> Iterator[ExtraSection]:
    """Yield a section for each family on each hardware that has a profile.

    Args:
        rows: of all benchmarks.
        root: the folder in which the pipeline wrote.
    """
    for family in study.families:
        for hardware in study.hardware:
            file = root / paths.profile(family, hardware) / paths.PROFILE_FILE
            if file.exists():
                record = time_profile.read(file)
                if record.profile is not None:
                    yield _profile(record, record.profile, rows)
            file = root / paths.explained(family, hardware)
            if file.exists() and len((explained := time_profile.read_explained(file)).profiles) == 2:
                yield _difference(explained)


def profile_sentences(profile: TimeProfile) -> Iterator[str]:
    """Yield what a profile says: how long a call takes, what it is spent in, and how sure that is."""
    least = SHOWN_SHARE * profile.us
    kinds = [f"{kind} {us / profile.us:.0%}" for kind, us in profile.kinds().items() if us >= least]
    yield (
        f"A call takes {duration(profile.us)} ({duration(profile.low)} to {duration(profile.high)}). "
        f"Inside operators: {', '.join(kinds)}."
    )
    between = profile.dispatch_us + profile.python_us + profile.call_us
    yield (
        f"Between operators: {between / profile.us:.0%}, measured on models whose operators compute nothing. "
        f"Unexplained: {profile.unexplained_us / profile.us:.1%}."
    )
    if profile.inflation < SEEN:
        yield "The profiler does not make a call longer, as far as can be seen."
    else:
        distorted = " That is much: read the operators as an estimate." if profile.is_distorted else ""
        yield (
            f"The profiler makes a call {profile.inflation:.2f} times as long; what it adds is measured, and "
            f"taken off.{distorted}"
        )
    if slowest := [module for module in profile.modules if module.name][:SLOWEST]:
        told = ", ".join(f"{each.name} ({each.kind}, {each.us / profile.us:.0%})" for each in slowest)
        yield f"The slowest modules: {told}."


def gain_sentences(found: Sequence[Gain]) -> Iterator[str]:
    """Yield the most that each optimization could gain, and what it gained."""
    for gain in found:
        yield f"{gain.what}: at most {gain.at_most:.2f}x{gain.expectation}; {gain.outcome}."


def _profile(record: ProfileRecord, profile: TimeProfile, rows: Sequence[ResultRow]) -> ExtraSection:
    name = f"profile-{record.family}-{record.hardware}"
    return ExtraSection(
        name,
        f"Where the time goes: {record.family} on {record.hardware}, before anything is optimized",
        [*profile_sentences(profile), *gain_sentences(gains(record, rows))],
        [time_charts.of_profile(name, f"{record.family}: one call of {profile.name}", profile)],
    )


def _difference(record: ExplainRecord) -> ExtraSection:
    first, second = record.profiles
    name = f"explain-{record.family}-{record.hardware}"
    how = "faster" if second.us < first.us else "slower"
    drawn = f"{record.family}: from {first.name} to {second.name}"
    return ExtraSection(
        name,
        f"Why {second.name} is {how}: {record.family} on {record.hardware}",
        [*waterfall.sentences(first, second)],
        [time_charts.of_difference(name, drawn, first, second)],
    )
