"""The passes of a compiler in MLflow: a run for each family and runtime."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from breakeven.config.study import Study
from breakeven.core.digests import fingerprint, sha256
from breakeven.results.explain_record import explained
from breakeven.results.ladder_record import Climbed, LadderRecord, sentences
from breakeven.tracking.address import warn
from breakeven.tracking.client import ANY_STATUS, PARENT_TAG, Tracker

KIND = "passes of a compiler"


def log(record: LadderRecord, graphs: Sequence[Path]) -> None:
    """Log what each pass is worth. Safe to repeat; if MLflow does not answer, print a warning.

    Args:
        graphs: the files of the passes' graphs.
    """
    try:
        _write(Tracker(), record, graphs)
    except Exception as error:  # an error of MLflow's store costs a warning, never a result
        warn(error)


def log_recorded(store: Tracker, study: Study, parent: str, tags: Mapping[str, Any]) -> tuple[int, int]:
    """Log the ladders of a study; return how many there are, and how many of them are new. Safe to repeat.

    Args:
        parent: the study's run.
        tags: that each run of the study has.
    """
    new = [
        _write(store, found.ladder, (), {**tags, PARENT_TAG: parent, "hardware": found.hardware})
        for found in explained(study)
        if found.ladder and found.ladder.climbed
    ]
    return len(new), sum(new)


def _write(
    store: Tracker, record: LadderRecord, graphs: Sequence[Path], tags: Mapping[str, Any] = {}
) -> bool:
    """Log a ladder; return whether its run is new."""
    figures, said = _figures(record.climbed), list(sentences(record.climbed))
    places = [str(tags[name]) for name in (PARENT_TAG, "hardware") if name in tags]
    content = [str(sorted(figures.items())), *(sha256(file) for file in graphs), *places]
    key = fingerprint(KIND, record.family, record.runtime, *content)
    known = store.find(key, ANY_STATUS)
    if known and known.info.status == "FINISHED":
        return False
    own = {"kind": KIND, "family": record.family, "runtime": record.runtime}
    run = store.obtain(f"{record.family} · passes of {record.runtime}", key, {**tags, **own}, ANY_STATUS)
    store.tag(run, "mlflow.note.content", "\n".join(f"- {sentence}" for sentence in said))
    store.tag(run, "answer", said[0] if said else "")
    store.log(run, figures=figures)
    for file in graphs:
        store.artifact(run, file, "graphs")
    store.end(run)
    return known is None


def _figures(climbed: Sequence[Climbed]) -> dict[str, float]:
    """Return each pass's gain, time of a call and number of nodes."""
    found: dict[str, float] = {}
    for each in climbed:
        name = each.rung.name
        if each.us:
            found[f"us/{name}"] = each.us
        if each.over_eager:
            found[f"over_eager/{name}"] = each.over_eager.value
        if each.gain:
            found[f"gain/{name}"] = each.gain.value
        if each.nodes:
            found[f"nodes/{name}"] = sum(each.nodes.values())
    return found
