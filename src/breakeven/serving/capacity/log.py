"""What a service and several callers were seen to do, in MLflow: a run for each family."""

from collections.abc import Mapping
from dataclasses import asdict

from breakeven.core.digests import fingerprint
from breakeven.core.files import temporary_folder
from breakeven.engine.settings import ALONE
from breakeven.report.extra_sections import ExtraSection
from breakeven.results.callers import CallersRecord
from breakeven.results.served import ServedRecord
from breakeven.serving.capacity import callers_findings, findings
from breakeven.tracking.address import warn
from breakeven.tracking.client import ANY_STATUS, Tracker

SERVED, CALLERS = "served", "callers"  # kinds of runs


def log_served(record: ServedRecord) -> None:
    """Log what a service was seen to do. Safe to repeat; if MLflow does not answer, print a warning."""
    tags = {"kind": SERVED, "family": record.family, "hardware": record.hardware}
    name = f"{record.family} · served on {record.hardware}"
    _log(name, tags, record, findings.section(record), _of_served(record))


def log_callers(record: CallersRecord) -> None:
    """Log what several callers got through. Safe to repeat; if MLflow does not answer, print a warning."""
    tags = {"kind": CALLERS, "family": record.family}
    name = f"{record.family} · several callers at once"
    _log(name, tags, record, callers_findings.section(record), _of_callers(record))


def _log(
    name: str,
    tags: dict[str, str],
    record: ServedRecord | CallersRecord,
    section: ExtraSection,
    figures: Mapping[str, float],
) -> None:
    try:
        store = Tracker()
        run = store.obtain(name, fingerprint(tags["kind"], asdict(record)), tags, ANY_STATUS)
        store.tag(run, "mlflow.note.content", "\n".join(f"- {sentence}" for sentence in section.sentences))
        store.tag(run, "answer", section.sentences[0])
        store.log(run, figures=figures)
        with temporary_folder() as folder:
            record.write(file := folder / f"{tags['kind']}.json")
            store.artifact(run, file, tags["kind"])
        store.end(run)
    except Exception as error:  # an error of MLflow's store costs a warning, never a result
        warn(error)


def _of_served(record: ServedRecord) -> Mapping[str, float]:
    baseline, *others = record.rows
    found = {f"served_speedup/{row.variant}": findings.speedup(baseline, row).value for row in others}
    for row in record.rows:
        found |= {f"{part}_ms/{row.variant}": ms for part, ms in row.parts_ms.items()}
        if row.capacity_per_s:
            found[f"capacity_per_s/{row.variant}"] = row.capacity_per_s
    return found


def _of_callers(record: CallersRecord) -> Mapping[str, float]:
    return {
        f"{callers_findings.title(each).replace(', ', '_').replace(' ', '_')}/{row.variant}": gain.value
        for row in record.measured
        for each in row.arrangements()
        if each != ALONE and (gain := row.gain(each))
    }
