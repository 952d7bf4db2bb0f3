"""The study of captures in MLflow: a run for the study and, nested in it, one for each way."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from breakeven.capture import way
from breakeven.capture.costs.pieces import Figures
from breakeven.capture.outcome import SIGNS, Outcome
from breakeven.capture.shares import shares
from breakeven.core.digests import fingerprint, sha256
from breakeven.tracking.address import warn
from breakeven.tracking.client import ANY_STATUS, PARENT_TAG, Tracker

KIND = "study of captures"


def log(
    collections: Mapping[str, Sequence[Outcome]],
    costs: Mapping[str, Figures],
    files: Sequence[Path],
    sentences: Sequence[str],
) -> None:
    """Log a study with its files. Safe to repeat; if MLflow does not answer, print a warning.

    Args:
        costs: name -> the figures of one measurement of costs.
        files: the page first.
        sentences: what the study found.
    """
    try:
        _write(Tracker(), collections, costs, files, sentences)
    except Exception as error:  # an error of MLflow's store costs a warning, never a result
        warn(error)


def _write(
    store: Tracker,
    collections: Mapping[str, Sequence[Outcome]],
    costs: Mapping[str, Figures],
    files: Sequence[Path],
    sentences: Sequence[str],
) -> None:
    key = fingerprint(KIND, *(sha256(file) for file in files))
    run = store.obtain("study of captures", key, {"kind": KIND}, ANY_STATUS)
    store.tag(run, "mlflow.note.content", "\n".join(f"- {sentence}" for sentence in sentences))
    store.tag(run, "answer", sentences[0] if sentences else "")
    store.log(run, figures=_of_costs(costs))
    for file in files:
        store.artifact(run, file)
    for name, figures in _of_ways(collections).items():
        tags = {"kind": "capture", "way": name, PARENT_TAG: run}
        nested = store.obtain(f"capture · {way.load(name).title}", fingerprint(key, name), tags, ANY_STATUS)
        store.log(nested, figures=figures)
        store.end(nested)
    store.end(run)


def _of_ways(collections: Mapping[str, Sequence[Outcome]]) -> dict[str, dict[str, float]]:
    """Return way -> "collection/outcome" -> its share of the models."""
    found: dict[str, dict[str, float]] = {}
    for collection, outcomes in collections.items():
        for name, parts in shares(outcomes).items():
            own = found.setdefault(name, {})
            for part in parts:
                own[f"{collection}/{SIGNS[part.kind][1].replace(' ', '_')}"] = part.count / part.total
    return found


def _of_costs(costs: Mapping[str, Figures]) -> dict[str, float]:
    """Return the figures that one number says."""
    found: dict[str, float] = {}
    for name, figures in costs.items():
        kind, _, model = name.partition("-")
        if kind == "breaks":
            found[f"break_us/{model}"] = figures["slope_us"]
        elif kind == "guards":
            found[f"guards_share/{model}"] = figures["share"][0]
        elif kind == "tools":
            found |= {
                f"{tool}_parts_over_whole/{model}": r[0] for tool, r in figures["parts_over_whole"].items()
            }
    return found
