"""What a study has left on disk: its models' cards and its benchmarks."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from breakeven.artifacts.model_manifest import CARD, Card, read_card
from breakeven.config.schema import Config
from breakeven.core import paths
from breakeven.results import records
from breakeven.results.records import Benchmark, Row


@dataclass(frozen=True)
class Records:
    """All records of one study."""

    cards: list[Card]
    benchmarks: list[Benchmark]

    def of(self, row: Row) -> Benchmark:
        """The benchmark that has a row."""
        return next(b for b in self.benchmarks if (b.family, b.hardware) == (row.family, row.hardware))


def read(study: Config, root: Path = Path()) -> Records:
    """The records of just what the configuration names, in its order.

    Args:
        root: of the folders that the pipeline writes.

    Raises:
        UserError: one is missing.
    """
    models, benchmarks = _files(study)
    cards = [read_card((root / path).parent) for path in models]
    return Records(
        [card for card in cards if not card.reason], [records.read(root / path) for path in benchmarks]
    )


def copy(study: Config, root: Path, target: Path) -> None:
    """Copy the files that `read` reads, and no others."""
    models, benchmarks = _files(study)
    for path in [*models, *benchmarks]:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, target / path)


def _files(study: Config) -> tuple[list[Path], list[Path]]:
    """Those of cards and those of benchmarks."""
    recipes = ["none", *study.recipes()]
    return (
        [paths.model(family, recipe) / CARD for family in study.families for recipe in recipes],
        [paths.benchmark(family, name) for family in study.families for name in study.hardware],
    )
