"""The log of a study's results on disk in MLflow. Logging is safe to repeat."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from breakeven.artifacts.model_manifest import MANIFEST, WEIGHTS, ModelManifest
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.digests import fingerprint, sha256
from breakeven.core.files import temporary_folder
from breakeven.core.progress import track
from breakeven.results import summary
from breakeven.results.answer import CellAnswer, answers
from breakeven.results.columns import column_names, tag_names
from breakeven.results.limits import Limits
from breakeven.results.records import BenchmarkResult, VariantResult
from breakeven.results.result_row import ResultRow, cell, scenario
from breakeven.results.study_results import StudyResults
from breakeven.tracking import (
    hidden_tags,
    ladder_runs,
    profile_runs,
    run_names,
    study_answer,
    training_figures,
)
from breakeven.tracking.client import ANY_STATUS, NEWEST, PARENT_TAG, Tracker, rounded
from breakeven.tracking.origin import origin_tags

if TYPE_CHECKING:
    from mlflow.entities import Run

NOT_MEASURED = {"recommend", "ladder", "serve"}  # settings that change no measurement of a variant
MODEL_FILES = (MANIFEST, WEIGHTS)  # that a model's run holds
NAME_COLUMNS = column_names("name")  # they identify a variant; the others are figures
# The figures that are logged first: MLflow's UI compares runs by the first one, unless a user chooses another
FIRST_FIGURES = ("speedup", "latency_ms_p50", "accuracy", "score")
# Columns that become tags, so that users can search for them
TAG_COLUMNS = tag_names()


def sync(study: Study, records: StudyResults) -> str:
    """Log a study: one run for the study and, nested in it, one for each model and benchmarked variant.

    Raises:
        Unreachable: the store does not answer.
    """
    store = Tracker()
    store.end_dead_runs()
    settings = study.model_dump(exclude=NOT_MEASURED)
    key = key_of(study, records)
    common = {"study": study.study, hidden_tags.name("configuration"): fingerprint(settings)}
    machine = records.benchmarks[0].machine["name"]
    new_runs = int(store.find(key, ANY_STATUS) is None)
    origin = {"mlflow.source.git.commit": records.benchmarks[0].commit, "dirty": records.benchmarks[0].dirty}
    tags = {"kind": "study", "machine": machine, **origin, **common}
    existing = {card.key: store.find(card.key) for card in records.cards}
    trained = {card.key: _trained(records, card, existing[card.key]) for card in records.cards}
    # A run of an earlier study stays with that study.
    began, ended = _span(records, {key: trained[key] for key, run in existing.items() if not _is_nested(run)})
    parent = store.obtain(f"study {study.study}", key, tags, ANY_STATUS, began)
    store.log(parent, {k: settings[k] for k in ("study", "seed", "export", "measure")})
    data = {card.family: card.details["data"] for card in records.cards}
    for dataset, digest in {study.families[family].data: digest for family, digest in data.items()}.items():
        _dataset(store, parent, dataset, digest)
    for card in records.cards:
        run, new = _model(store, card, parent, study, existing[card.key], trained[card.key])
        store.tag(parent, hidden_tags.name(f"model.{card.family}.{card.recipe}"), run)
        new_runs += new
    variants = [(benchmark, record) for benchmark in records.benchmarks for record in benchmark.records]
    limits = Limits.of(study)
    rows = {run_names.id_of(row): row for row in summary.rows(records.benchmarks, limits)}
    cells = list(answers(records.benchmarks, list(rows.values()), limits))
    places = run_names.ranks(list(rows.values()))
    links, explained = {}, 0
    for benchmark, record in track("MLflow", variants):
        tags = {
            **common,
            "dataset.sha256": data[benchmark.family],
            PARENT_TAG: parent,
            NEWEST: "yes",
        }
        dataset = study.families[benchmark.family].data
        rank = run_names.rank_text(rows[run_names.id_of(record.row)], places, limits)
        run, new = _variant(store, benchmark, record, key, dataset, {**tags, "rank": rank}, places)
        links[run_names.id_of(record.row)] = store.link(run)
        new_runs += new
    for log in (profile_runs.log, ladder_runs.log_recorded):
        logged, created = log(store, study, parent, common)
        explained, new_runs = explained + logged, new_runs + created
    store.supersede(study.study, machine, parent)
    _answer(store, cells, parent, links)
    if _is_new(store, parent, key):
        for path in (paths.SUMMARY, paths.PARAMS, paths.REPORT):
            if path.exists():
                store.artifact(parent, path)
        store.tag(parent, hidden_tags.name(hidden_tags.SYNCED), key)
    store.end(parent, at=ended)
    total = len(records.cards) + len(variants) + explained + 1
    return f"MLflow at {store.shown_uri}: {total} runs, {new_runs} of them new"


def measured_s(record: VariantResult) -> float:
    """Return for how long a variant itself was loaded, warmed up and timed, in all replicates: seconds."""
    seconds = 0.0
    for replicate in record.replicates:
        blocks_ms = sum(block["wall_ms"] for block in replicate["blocks"])
        calls_ms = replicate["first_call_ms"] + sum(replicate["warmup_ms"]) + blocks_ms
        seconds += replicate["load_s"] + calls_ms / 1000
    return seconds


def _trained(records: StudyResults, card: ModelManifest, run: "Run | None") -> tuple[float, float] | None:
    """Return when a model's training began and ended, seconds since the epoch; None for old records.

    A training that no run followed counts as if it had ended when the first measurement of its family began.
    """
    if run:
        began = run.info.start_time / 1000
        return began, run.info.end_time / 1000 if run.info.end_time else began + card.train_s
    starts = [at for b in records.benchmarks if b.family == card.family for at, _ in b.measured.values()]
    return (min(starts) - card.train_s, min(starts)) if starts else None


def _span(
    records: StudyResults, trained: Mapping[str, "tuple[float, float] | None"]
) -> tuple[float | None, float | None]:
    """Return when a study's first model began to train, and when its last measurement ended.

    Args:
        records: of the study.
        trained: when the models of this study began and ended, by their keys.
    """
    measured = [(at, at + took) for b in records.benchmarks for at, took in b.measured.values()]
    if not measured:
        return None, None
    spans = [*measured, *(span for span in trained.values() if span)]
    return min(began for began, _ in spans), max(ended for _, ended in spans)


def key_of(study: Study, records: StudyResults) -> str:
    """Return the key of a study's run: its settings and its measurements."""
    measured = [sha256(paths.benchmark(b.family, b.hardware)) for b in records.benchmarks]
    return fingerprint(study.model_dump(exclude=NOT_MEASURED), measured)


def key_of_row(study: str, row: ResultRow) -> str:
    """Return the key of a variant's run in the study with this key."""
    return fingerprint(study, *(getattr(row, name) for name in NAME_COLUMNS))


def figures_of(row: ResultRow) -> dict[str, float]:
    """Return the metrics of a variant's run."""
    calls = column_names("calls")
    cells = {name: getattr(row, name) for name in [*FIRST_FIGURES, *column_names("figure"), *calls]}
    if row.metric == "accuracy":  # its score has that name, too: one of the two is enough
        cells = {name: value for name, value in cells.items() if not name.startswith("score")}
    figures = {name: value for name, value in cells.items() if value is not None}
    # Break-even calls are a number, "never" or "undecided"; only numbers are metrics.
    return {name: float(value) for name, value in figures.items() if name not in calls or value.isdigit()}


def _is_nested(run: "Run | None") -> bool:
    """Return whether a run belongs to a study's run."""
    return run is not None and PARENT_TAG in run.data.tags


def _is_new(store: Tracker, run: str, version: str) -> bool:
    """Return whether this version is not yet logged to the run."""
    return hidden_tags.read(store.client.get_run(run).data.tags, hidden_tags.SYNCED) != version


def _answer(
    store: Tracker, cells: Sequence[CellAnswer], run: str, links: Mapping[run_names.RowId, str]
) -> None:
    """Write the study's answer to its run. It changes with the limits, so each log writes it again."""
    report = store.link(run, f"/artifacts/{paths.REPORT.name}")
    store.tag(run, "mlflow.note.content", study_answer.description(cells, links, report))
    store.tag(run, "answer", study_answer.in_short(cells))
    known = store.client.get_run(run).data.metrics
    figures = {name: rounded(value) for name, value in study_answer.figures(cells).items()}
    store.log(run, figures={name: value for name, value in figures.items() if known.get(name) != value})


def _model(
    store: Tracker,
    card: ModelManifest,
    parent: str,
    study: Study,
    existing: "Run | None",
    trained: tuple[float, float] | None,
) -> tuple[str, bool]:
    """Log a trained or compressed model to the run that its stage logged live, or to a new run.

    Return the run's id, and whether it is new.

    Args:
        existing: the run that followed its training, if there is one.
        trained: when its training began and ended, seconds since the epoch.
    """
    kind = "train" if card.recipe == "none" else "compression"
    name = run_names.of_training(card.family, card.recipe)
    tags = {
        "kind": kind,
        "family": card.family,
        "recipe": card.recipe,
        "dataset.sha256": card.details["data"],
        **card.origin,
    }
    began, ended = trained or (None, None)
    run = existing.info.run_id if existing else store.create(name, card.key, {**origin_tags(), **tags}, began)
    store.retag(run, {"recipe": card.recipe, "mlflow.runName": name})  # an earlier recipe may have named it
    if not _is_new(store, run, card.sha256):
        return run, False
    data = store.client.get_run(run).data
    if PARENT_TAG not in data.tags:  # a run from the cache stays with the study that made it
        store.client.set_tag(run, PARENT_TAG, parent)
    scores, constants = training_figures.split(card.scores)
    store.log(run, {**card.details.get("settings", {}), **constants})
    if not existing:
        for row in card.history:
            figures, _ = training_figures.split({k: v for k, v in row.items() if k != "epoch"})
            store.log(run, figures=figures, step=int(row["epoch"]) + 1)
        store.log(run, figures=scores, step=len(card.history) + 1)
    _dataset(store, run, study.families[card.family].data, card.details["data"])
    for file in MODEL_FILES:
        store.artifact(run, paths.model(card.family, card.recipe) / file, "model")
    store.tag(run, hidden_tags.name(hidden_tags.SYNCED), card.sha256)
    if not existing or existing.info.status == "RUNNING":  # RUNNING: the store failed while it was trained
        store.end(run, at=ended)
    return run, not existing


def _variant(
    store: Tracker,
    benchmark: BenchmarkResult,
    record: VariantResult,
    study: str,
    dataset: str,
    tags: Mapping[str, Any],
    places: Mapping[run_names.RowId, int],
) -> tuple[str, bool]:
    """Log a benchmarked variant; return its run's id, and whether something was logged.

    Args:
        places: of all rows of the study, by speedup.
    """
    row = asdict(record.row)
    key = key_of_row(study, record.row)
    tags = {
        **tags,
        "kind": "benchmark",
        "mlflow.source.git.commit": benchmark.commit,
        "dirty": benchmark.dirty,
        **{name: row[name] for name in TAG_COLUMNS},
    }
    name = run_names.of_variant(
        record.row, with_place=len({cell(each.row) for each in benchmark.records}) > 1
    )
    at, _ = benchmark.measured.get(scenario(record.row).title, (None, 0.0))
    # The runs of a cell started together: a millisecond each keeps the fastest first, because MLflow
    # lists the newest first.
    ahead_ms = len(places) - places.get(run_names.id_of(record.row), len(places))
    run = store.obtain(name, key, tags, ANY_STATUS, at and at + ahead_ms / 1000)
    store.retag(run, {"mlflow.runName": name, "rank": tags["rank"], NEWEST: "yes"})
    if not _is_new(store, run, key):
        return run, False
    store.log(run, {name: row[name] for name in NAME_COLUMNS}, figures_of(record.row))
    _dataset(store, run, dataset, tags["dataset.sha256"])
    with temporary_folder() as scratch:
        path = Path(scratch, "record.json")
        path.write_text(json.dumps(asdict(record)), encoding="utf-8")
        store.artifact(run, path)
    store.tag(run, hidden_tags.name(hidden_tags.SYNCED), key)
    store.end(run, at=None if at is None else at + measured_s(record))
    return run, True


def _dataset(store: Tracker, run: str, name: str, digest: str) -> None:
    from breakeven.artifacts import dataset as dataset_files

    manifest = dataset_files.manifest(paths.prepared(name))
    profile = {part: sum(counts.values()) for part, counts in manifest.counts.items()}
    store.dataset(run, name, digest, json.dumps(profile))
