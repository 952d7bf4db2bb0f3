"""What a study has left on disk: its models' cards and its benchmarks."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from breakeven import modelfile, paths, result
from breakeven.config import Config
from breakeven.modelfile import Card
from breakeven.result import Benchmark


@dataclass(frozen=True)
class Records:
    """All records of one study."""

    cards: list[Card]
    benchmarks: list[Benchmark]


def read(study: Config, root: Path = Path()) -> Records:
    """The records of just what the configuration names, in its order.

    Args:
        root: of the folders that the pipeline writes.

    Raises:
        UserError: one is missing.
    """
    recipes = ["none", *study.recipes()]
    return Records(
        [modelfile.read_card(root / paths.model(f, recipe)) for f in study.families for recipe in recipes],
        [result.read(root / paths.benchmark(f, name)) for f in study.families for name in study.hardware],
    )


def copy(study: Config, root: Path, target: Path) -> None:
    """Copy the files that `read` reads, and no others."""
    recipes = ["none", *study.recipes()]
    models = [paths.model(f, recipe) / modelfile.CARD for f in study.families for recipe in recipes]
    benchmarks = [paths.benchmark(f, name) for f in study.families for name in study.hardware]
    for name in [*models, *benchmarks]:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target / name)
