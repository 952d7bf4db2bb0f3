"""From the records on disk to MLflow: fills an empty store, and twice is as once."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from breakeven.artifacts.model_manifest import MANIFEST, WEIGHTS, ModelManifest
from breakeven.config.schema import Study
from breakeven.core import paths
from breakeven.core.files import fingerprint, sha256
from breakeven.core.progress import track
from breakeven.results.columns import column_names, tag_names
from breakeven.results.records import (
    BenchmarkResult,
    ResultRow,
    VariantResult,
    scenario,
    title,
)
from breakeven.results.study_results import StudyResults
from breakeven.tracking.client import ANY, PARENT, Tracker

SYNCED = "breakeven.synced"
NAMES = column_names("name")  # they identify a variant; the other columns are figures
# Figures in the order in which they are logged: MLflow compares runs by the first, until it is told otherwise
FIRST = ("speedup", "latency_ms_p50", "accuracy")
TAGS = tag_names()


def sync(study: Study, records: StudyResults) -> str:
    """Log a study: a run for it, and nested in it one a model and one a benchmarked variant.

    Raises:
        Unreachable: the store does not answer.
    """
    store = Tracker()
    store.reap()
    settings = study.model_dump(exclude={"recommend"})
    key = key_of(study, records)
    common = {"study": study.study, "configuration": fingerprint(settings)}
    machine = records.benchmarks[0].machine["name"]
    made = int(store.find(key, ANY) is None)
    origin = {"mlflow.source.git.commit": records.benchmarks[0].commit, "dirty": records.benchmarks[0].dirty}
    tags = {"kind": "study", "machine": machine, **origin, **common}
    parent = store.obtain(f"study {study.study}", key, tags, ANY)
    store.log(parent, {k: settings[k] for k in ("study", "seed", "export", "measure")})
    data = {card.family: card.details["data"] for card in records.cards}
    for card in records.cards:
        run, new = _model(store, card, parent, study)
        store.client.set_tag(parent, f"model.{card.family}.{card.recipe}", run)
        made += new
    variants = [(benchmark, record) for benchmark in records.benchmarks for record in benchmark.records]
    for benchmark, record in track("MLflow", variants):
        tags = {**common, "dataset.sha256": data[benchmark.family], PARENT: parent}
        dataset = study.families[benchmark.family].data
        made += _variant(store, benchmark, record, key, dataset, tags)
    if _is_new(store, parent, key):
        for path in (paths.SUMMARY, paths.PARAMS, paths.REPORT):
            if path.exists():
                store.artifact(parent, path)
        store.client.set_tag(parent, SYNCED, key)
    store.end(parent)
    total = len(records.cards) + len(variants) + 1
    return f"MLflow at {store.uri}: {total} runs, {made} of them new"


def key_of(study: Study, records: StudyResults) -> str:
    """Of a study's run: its settings, and what came of them."""
    measured = [sha256(paths.benchmark(b.family, b.hardware)) for b in records.benchmarks]
    return fingerprint(study.model_dump(exclude={"recommend"}), measured)


def key_of_row(study: str, row: ResultRow) -> str:
    """Of a variant's run, in the study with that key."""
    return fingerprint(study, *(getattr(row, name) for name in NAMES))


def figures_of(row: ResultRow) -> dict[str, float]:
    """The metrics of a variant's run."""
    calls = column_names("calls")
    cells = {name: getattr(row, name) for name in [*FIRST, *column_names("figure"), *calls]}
    known = {name: value for name, value in cells.items() if value is not None}
    return {name: float(value) for name, value in known.items() if name not in calls or value.isdigit()}


def _is_new(store: Tracker, run: str, version: str) -> bool:
    """Whether this version still has to be logged."""
    return store.client.get_run(run).data.tags.get(SYNCED) != version


def _model(store: Tracker, card: ModelManifest, parent: str, study: Study) -> tuple[str, bool]:
    """A trained or compressed model's run: the one that its stage logged live, or one from its card."""
    kind = "train" if card.recipe == "none" else "compression"
    name = f"train {card.family}" if kind == "train" else f"{card.recipe} {card.family}"
    tags = {
        "kind": kind,
        "family": card.family,
        "recipe": card.recipe,
        "dataset.sha256": card.details["data"],
        **card.origin,
    }
    found = store.find(card.key)
    run = store.obtain(name, card.key, tags)
    if not _is_new(store, run, card.sha256):
        return run, False
    for tag, value in (("recipe", card.recipe), ("mlflow.runName", name)):
        store.client.set_tag(run, tag, value)  # made as a step of another recipe, it had that step's name
    data = store.client.get_run(run).data
    if PARENT not in data.tags:  # a run from the cache stays with the study that made it
        store.client.set_tag(run, PARENT, parent)
    store.log(run, card.details.get("settings", {}))
    if not found:
        for row in card.history:
            figures = {k: v for k, v in row.items() if k != "epoch"}
            store.log(run, figures=figures, step=int(row["epoch"]) + 1)
        store.log(run, figures=card.scores, step=len(card.history) + 1)
    _dataset(store, run, study.families[card.family].data, card.details["data"])
    for file in (MANIFEST, WEIGHTS):
        store.artifact(run, paths.model(card.family, card.recipe) / file, "model")
    store.client.set_tag(run, SYNCED, card.sha256)
    store.end(run)
    return run, not found


def _variant(
    store: Tracker,
    benchmark: BenchmarkResult,
    record: VariantResult,
    study: str,
    dataset: str,
    tags: Mapping[str, Any],
) -> bool:
    """A benchmarked variant's run; returns whether it is new."""
    row = asdict(record.row)
    key = key_of_row(study, record.row)
    tags = {
        **tags,
        "kind": "benchmark",
        "mlflow.source.git.commit": benchmark.commit,
        "dirty": benchmark.dirty,
        **{name: row[name] for name in TAGS},
    }
    name = f"{row['variant']} {row['family']} {title(record.row)}"  # lists cut long names at their end
    at, took = benchmark.measured.get(scenario(record.row).title, (None, 0.0))
    run = store.obtain(name, key, tags, ANY, at)
    if not _is_new(store, run, key):
        return False
    store.log(run, {name: row[name] for name in NAMES}, figures_of(record.row))
    _dataset(store, run, dataset, tags["dataset.sha256"])
    with TemporaryDirectory() as scratch:
        path = Path(scratch, "record.json")
        path.write_text(json.dumps(asdict(record)), encoding="utf-8")
        store.artifact(run, path)
    store.client.set_tag(run, SYNCED, key)
    store.end(run, at=None if at is None else at + took)
    return True


def _dataset(store: Tracker, run: str, name: str, digest: str) -> None:
    from breakeven.artifacts import dataset as dataset_files

    manifest = dataset_files.manifest(paths.prepared(name))
    profile = {part: sum(counts.values()) for part, counts in manifest.counts.items()}
    store.dataset(run, name, digest, json.dumps(profile))
