"""The passes of a compiler in MLflow: a run for each family and runtime, with the graphs as files."""

from collections.abc import Sequence
from pathlib import Path

from breakeven.core.digests import fingerprint, sha256
from breakeven.diagnosis.climb import Climbed
from breakeven.tracking.address import warn
from breakeven.tracking.client import ANY_STATUS, Tracker

KIND = "passes of a compiler"


def log(
    family: str, runtime: str, climbed: Sequence[Climbed], sentences: Sequence[str], graphs: Sequence[Path]
) -> None:
    """Log what each pass is worth. Safe to repeat; if MLflow does not answer, print a warning.

    Args:
        sentences: what was found.
        graphs: the files of the passes' graphs.
    """
    try:
        _write(Tracker(), family, runtime, climbed, sentences, graphs)
    except Exception as error:  # an error of MLflow's store costs a warning, never a result
        warn(error)


def _write(
    store: Tracker,
    family: str,
    runtime: str,
    climbed: Sequence[Climbed],
    sentences: Sequence[str],
    graphs: Sequence[Path],
) -> None:
    figures = _figures(climbed)
    key = fingerprint(KIND, family, runtime, str(sorted(figures.items())), *(sha256(file) for file in graphs))
    tags = {"kind": KIND, "family": family, "runtime": runtime}
    run = store.obtain(f"{family} · passes of {runtime}", key, tags, ANY_STATUS)
    store.tag(run, "mlflow.note.content", "\n".join(f"- {sentence}" for sentence in sentences))
    store.tag(run, "answer", sentences[0] if sentences else "")
    store.log(run, figures=figures)
    for file in graphs:
        store.artifact(run, file, "graphs")
    store.end(run)


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
