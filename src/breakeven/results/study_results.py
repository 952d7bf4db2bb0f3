"""The results of a study on disk: its models' manifests and its benchmarks."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from breakeven.artifacts.model_manifest import MANIFEST, ModelManifest, read_card
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.results import records
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import ResultRow


@dataclass(frozen=True)
class StudyResults:
    """The records of one study: manifests of models, and benchmarks."""

    cards: list[ModelManifest]
    benchmarks: list[BenchmarkResult]

    def of(self, row: ResultRow) -> BenchmarkResult:
        """Return the benchmark that contains a row."""
        return next(b for b in self.benchmarks if (b.family, b.hardware) == (row.family, row.hardware))


def read_results(study: Study, root: Path = Path()) -> StudyResults:
    """Read the records that the configuration names, in its order. Ignore all other files.

    Args:
        root: the folder in which the pipeline wrote.

    Raises:
        UserError: a record is missing.
    """
    models, benchmarks = _files(study)
    cards = [read_card((root / path).parent) for path in models]
    return StudyResults(
        [card for card in cards if not card.reason],
        [records.read_benchmark(root / path) for path in benchmarks],
    )


def copy(study: Study, root: Path, target: Path) -> None:
    """Copy the files that `read_results` reads from `root` to `target`."""
    models, benchmarks = _files(study)
    for path in [*models, *benchmarks]:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, target / path)


def _files(study: Study) -> tuple[list[Path], list[Path]]:
    """Return the paths of the manifests, and the paths of the benchmarks."""
    recipes = ["none", *study.compressions]
    return (
        [paths.model(family, recipe) / MANIFEST for family in study.families for recipe in recipes],
        [paths.benchmark(family, name) for family in study.families for name in study.hardware],
    )
