"""What a service and several callers were seen to do, in MLflow: a run for each family."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from breakeven.core.digests import fingerprint
from breakeven.core.files import temporary_folder
from breakeven.engine.callers import ALONE
from breakeven.results.callers import CallersRecord
from breakeven.results.served import ServedRecord
from breakeven.serving.capacity import callers_findings
from breakeven.serving.capacity.findings import speedup
from breakeven.tracking.address import warn
from breakeven.tracking.client import ANY_STATUS, Tracker

KIND, CALLERS = "served", "callers"


def log(record: ServedRecord, sentences: Sequence[str], file: Path) -> None:
    """Log a record. Safe to repeat; if MLflow does not answer, print a warning.

    Args:
        sentences: what was found.
        file: of the record.
    """
    tags = {"kind": KIND, "family": record.family, "hardware": record.hardware}
    name = f"{record.family} · served on {record.hardware}"
    _log(name, fingerprint(KIND, asdict(record)), tags, sentences, _figures(record), file)


def log_callers(record: CallersRecord) -> None:
    """Log what several callers got through. Safe to repeat; without MLflow, print a warning."""
    gains = {
        f"{callers_findings.title(each).replace(', ', '_').replace(' ', '_')}/{row.variant}": row.gain(
            each
        ).value
        for row in record.measured
        for each in row.arrangements()
        if each != ALONE
    }
    tags = {"kind": CALLERS, "family": record.family}
    with temporary_folder() as folder:
        record.write(file := folder / "callers.json")
        _log(
            f"{record.family} · several callers at once",
            fingerprint(CALLERS, asdict(record)),
            tags,
            [*callers_findings.sentences(record)],
            gains,
            file,
        )


def _log(
    name: str,
    key: str,
    tags: dict[str, str],
    sentences: Sequence[str],
    figures: dict[str, float],
    file: Path,
) -> None:
    try:
        store = Tracker()
        run = store.obtain(name, key, tags, ANY_STATUS)
        store.tag(run, "mlflow.note.content", "\n".join(f"- {sentence}" for sentence in sentences))
        if sentences:
            store.tag(run, "answer", sentences[0])
        store.log(run, figures=figures)
        store.artifact(run, file, tags["kind"])
        store.end(run)
    except Exception as error:  # an error of MLflow's store costs a warning, never a result
        warn(error)


def _figures(record: ServedRecord) -> dict[str, float]:
    baseline, *others = record.rows
    found = {f"served_speedup/{row.variant}": speedup(baseline, row).value for row in others}
    for row in record.rows:
        found |= {f"{part}_ms/{row.variant}": ms for part, ms in row.parts_ms.items()}
        if row.capacity_per_s:
            found[f"capacity_per_s/{row.variant}"] = row.capacity_per_s
    return found
