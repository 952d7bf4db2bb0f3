"""What a study has left on disk: its models' cards and its benchmarks."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from breakeven import modelfile, paths, result
from breakeven.config import Config
from breakeven.errors import UserError
from breakeven.modelfile import Card
from breakeven.result import Benchmark, Row


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
    cards = [modelfile.read_card((root / path).parent) for path in models]
    return Records(
        [card for card in cards if not card.reason], [result.read(root / path) for path in benchmarks]
    )


def require_current(study: Config, found: Records) -> None:
    """Refuse records that were measured with other settings than the study's.

    Raises:
        UserError: by family and hardware.
    """
    for benchmark in found.benchmarks:
        if benchmark.settings != study.measured_with(benchmark.hardware):
            place = f"{benchmark.family} on {benchmark.hardware}"
            raise UserError(f"{place} was measured otherwise: run `dvc repro`.")


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
        [paths.model(family, recipe) / modelfile.CARD for family in study.families for recipe in recipes],
        [paths.benchmark(family, name) for family in study.families for name in study.hardware],
    )
