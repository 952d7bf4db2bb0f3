"""What a study has left on disk: its models' cards and its benchmarks."""

from dataclasses import dataclass

from breakeven import modelfile, paths, result
from breakeven.config import Config
from breakeven.modelfile import Card
from breakeven.result import Benchmark


@dataclass(frozen=True)
class Records:
    """All records of one study."""

    cards: list[Card]
    benchmarks: list[Benchmark]


def read(study: Config) -> Records:
    """The records of just what the configuration names, in its order.

    Raises:
        UserError: one is missing.
    """
    recipes = ["none", *study.recipes()]
    return Records(
        [modelfile.read_card(paths.model(family, recipe)) for family in study.families for recipe in recipes],
        [result.read(paths.benchmark(family, name)) for family in study.families for name in study.hardware],
    )
