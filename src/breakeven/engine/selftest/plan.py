"""The plan of the self-test, as a list of pieces."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from breakeven.engine.selftest import agreement, capacity, carry_over, duets
from breakeven.engine.selftest.aa_copies import MODELS, Trial
from breakeven.engine.selftest.ablation import CommonProtocol
from breakeven.engine.selftest.time_to_verdict import Wait
from breakeven.engine.selftest.versions import Versions

SHORT_SECONDS_PER_VARIANT = 2.0  # if narrow intervals do not matter


@dataclass(frozen=True)
class Work:
    """A piece of the self-test: its kind, the name of its result, and the function that measures it."""

    kind: str
    name: str
    run: Callable[[Path, int], Any]


def plan(quick: bool) -> Iterator[Work]:
    """Yield all pieces. Kinds alternate, so that an interrupted run has some results of most kinds."""
    yield Work("overhead", "overhead", lambda folder, seed: agreement.overhead_us())
    yield from _agreement(pairs=2 if quick else 8)
    for number in range(1 if quick else 3):
        for model in MODELS:
            little = SHORT_SECONDS_PER_VARIANT if quick else None
            yield _trial("copies", Trial(model, seconds_per_variant=little), number)
            yield _trial("slower", Trial(model, shares=(0.02,) * 4), number)
            yield Work("carry-over", f"carry-over-{model}-{number}", partial(carry_over.run, model))
            if not duets.why_not():
                yield Work("duet", f"duet-{model}-{number}", partial(duets.run, model))
            for share in (0.0, 0.03):
                yield Work("versions", f"versions-{model}-{share:g}-{number}", Versions(model, share).run)
            for share in (0.02,) if quick else (0.01, 0.02, 0.05):
                yield Work("wait", f"wait-{model}-{share:g}-{number}", Wait(model, share).run)
            if not quick:
                yield from _in_full(model, number)
    if not quick:
        yield Work("capacity", "capacity", capacity.run)
        for number in range(3, 6):  # one false verdict in a hundred is seen among some hundreds only
            for model in MODELS:
                yield _trial("copies", Trial(model), number)
                yield _trial("copies", _loaded(model), number)


def _in_full(model: str, number: int) -> Iterator[Work]:
    yield _trial("copies", _loaded(model), number)
    for loaded in (False, True):
        if number < 2:
            trial = Trial(model, threads=2, loaded=loaded, seconds_per_variant=SHORT_SECONDS_PER_VARIANT)
            yield _trial("copies", trial, number)
            habit = CommonProtocol(model, loaded)
            yield Work("habit", f"habit-{model}-{loaded}-{number}", habit.run)
    if number == 0:
        yield _trial("many slower", Trial(model, shares=(0.05,) * 20), number)
    if model == "cnn" and number == 0:
        yield _trial("copies", Trial(model, "eager"), number)
        for share in (0.01, 0.2):
            yield _trial("slower", Trial(model, shares=(share,) * 4), number)


def _loaded(model: str) -> Trial:
    return Trial(model, loaded=True, seconds_per_variant=SHORT_SECONDS_PER_VARIANT)


def _agreement(pairs: int) -> Iterator[Work]:
    for name, runtime, tool in (
        ("benchmark_app", "openvino", agreement.benchmark_app_p50_ms),
        ("bare loop", "onnxruntime", agreement.bare_loop_p50_ms),
    ):
        for model in MODELS.values():
            run = partial(agreement.ratios, model, runtime, tool, pairs)
            yield Work(name, f"{name}-{model.name}-{pairs}", run)


def _trial(kind: str, trial: Trial, number: int) -> Work:
    values = "-".join(str(value) for value in asdict(trial).values() if not isinstance(value, tuple))
    return Work(kind, f"{kind}-{values}-{len(trial.shares)}x{trial.shares[0]:g}-{number}", trial.run)
