"""What a service was seen to do, in MLflow: a run for each family and hardware."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from breakeven.core.digests import fingerprint
from breakeven.results.served import ServedRecord
from breakeven.serving.capacity.findings import speedup
from breakeven.tracking.address import warn
from breakeven.tracking.client import ANY_STATUS, Tracker

KIND = "served"


def log(record: ServedRecord, sentences: Sequence[str], file: Path) -> None:
    """Log a record. Safe to repeat; if MLflow does not answer, print a warning.

    Args:
        sentences: what was found.
        file: of the record.
    """
    try:
        store = Tracker()
        tags = {"kind": KIND, "family": record.family, "hardware": record.hardware}
        key = fingerprint(KIND, asdict(record))
        run = store.obtain(f"{record.family} · served on {record.hardware}", key, tags, ANY_STATUS)
        store.tag(run, "mlflow.note.content", "\n".join(f"- {sentence}" for sentence in sentences))
        store.tag(run, "answer", sentences[0])
        store.log(run, figures=_figures(record))
        store.artifact(run, file, "served")
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
