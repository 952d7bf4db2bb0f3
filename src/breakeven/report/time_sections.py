"""The report's sections on where the time goes, what can be gained, and why the choice is faster."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.plugins.tasks.base import at_start
from breakeven.report import ladder_section, time_charts
from breakeven.report.extra_sections import ExtraSection
from breakeven.results import explain_record, time_profile, waterfall
from breakeven.results.explain_record import ExplainRecord
from breakeven.results.gains import Gain, fastest, gains, measured_there
from breakeven.results.result_row import ResultRow
from breakeven.results.time_profile import ProfileRecord, TimeProfile, duration

SLOWEST = 3  # modules that are named
SEEN = 1.01  # a smaller inflation of the profiler is noise


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
            if file.exists() and len((explained := explain_record.read_explained(file)).profiles) == 2:
                yield _difference(explained)


def profile_sentences(profile: TimeProfile) -> Iterator[str]:
    """Yield what a profile says beyond its parts: how sure they are, and the slowest modules."""
    inside, unexplained = profile.operators_us / profile.us, profile.unexplained_us / profile.us
    yield (
        f"A call takes {duration(profile.us)} ({duration(profile.low)} to {duration(profile.high)}): "
        f"{inside:.0%} inside operators, {1 - inside - unexplained:.0%} between them (timed on models whose "
        f"operators do nothing), {unexplained:.1%} unexplained."
    )
    if profile.inflation < SEEN:
        yield "The profiler does not make a call longer, as far as can be seen."
    else:
        doubt = ", but single lines are estimates" if profile.is_distorted else ""
        yield f"The profiler slows a call by {profile.inflation - 1:.0%}. That is taken off{doubt}."
    if slowest := [module for module in profile.modules if module.name][:SLOWEST]:
        told = ", ".join(f"`{each.name}` ({each.kind}) {each.us / profile.us:.0%}" for each in slowest)
        yield f"The slowest modules: {told} of the call."


def gain_sentences(found: Sequence[Gain]) -> Iterator[str]:
    """Yield the most that each optimization could gain in eager, and what it gained."""
    for gain in found:
        yield f"{at_start(gain.what)}: at most {gain.at_most:.2f}x{gain.expectation}; {gain.outcome}."


def best_sentence(record: ProfileRecord, rows: Sequence[ResultRow]) -> Iterator[str]:
    """Yield the fastest variant that was measured, and how to ask why."""
    best = fastest(measured_there(record, rows))
    if best and record.profile:
        yield (
            f"The fastest variant that was measured is {best.variant}, {best.speedup:.1f}x as fast: "
            f"`breakeven why {record.profile.name} {best.variant} --family {record.family} "
            f"--hardware {record.hardware}` says why."
        )


def _profile(record: ProfileRecord, profile: TimeProfile, rows: Sequence[ResultRow]) -> ExtraSection:
    name = f"profile-{record.family}-{record.hardware}"
    return ExtraSection(
        name,
        f"Where the time goes: {record.family} on {record.hardware}, before anything is optimized",
        [*profile_sentences(profile), *best_sentence(record, rows), *gain_sentences(gains(record, rows))],
        [time_charts.of_profile(name, f"{record.family}: one call of {profile.name}", profile)],
    )


def _difference(record: ExplainRecord) -> ExtraSection:
    first, second = record.profiles
    name = f"explain-{record.family}-{record.hardware}"
    how = "faster" if second.us < first.us else "slower"
    drawn = f"{record.family}: from {first.name} to {second.name}"
    passes, charts = ladder_section.part(record.ladder, record.inputs) if record.ladder else ([], [])
    return ExtraSection(
        name,
        f"Why {second.name} is {how}: {record.family} on {record.hardware}",
        [*waterfall.sentences(first, second), *passes],
        [time_charts.of_difference(name, drawn, first, second), *charts],
    )
