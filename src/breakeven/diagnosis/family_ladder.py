"""The ladder of a compiler, climbed with the trained model of a family."""

from functools import partial
from pathlib import Path

from breakeven.artifacts.family_example import family_example
from breakeven.core import machine_lock, paths
from breakeven.diagnosis import climb, ladder
from breakeven.results.ladder_record import Climbed, LadderRecord


def only() -> str:
    """Return where passes can be told apart."""
    return f"passes can be told apart for none/fp32 in {', '.join(ladder.names())} only"


def folder(family: str, runtime: str) -> Path:
    """Return the folder for the files of a ladder, which is there afterwards."""
    found = paths.private() / "why" / family / runtime
    found.mkdir(parents=True, exist_ok=True)
    return found


def climb_family(
    family: str, data: str, runtime: str, seconds: float, inputs: int = 1, threads: int = 1
) -> LadderRecord:
    """Return what each pass of a compiler is worth for a trained family, while no other of ours measures.

    Args:
        data: the name of the family's dataset.
        runtime: the name of a ladder.
        seconds: to measure for, beyond compilation.
        inputs: of a call.
        threads: of a call.

    Raises:
        Unsupported: the compiler cannot take this model.
        Failed, UserError: the model in eager mode cannot be called or timed.
    """
    make = partial(family_example, family, data, inputs)
    with machine_lock.exclusive():
        climbed = climb.climb(runtime, make, seconds, folder(family, runtime), threads)
    return LadderRecord(family, runtime, ladder.load(runtime).title, climbed)


def change(family: str, data: str, runtime: str, rung: str) -> list[Climbed]:
    """Return the graph of a rung of a ladder, after that of the rung that it builds on, if any.

    Raises:
        Unsupported: the compiler cannot take this model.
    """
    rungs = ladder.load(runtime).with_below(rung)
    return climb.graphs(runtime, partial(family_example, family, data, 1), folder(family, runtime), rungs)
