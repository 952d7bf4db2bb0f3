"""What each rung of a ladder is worth: all of them are timed in the same rounds, and compared with eager."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from breakeven.artifacts.tensors import to_array
from breakeven.core.errors import Failed, Unsupported, UserError, WrongOutput
from breakeven.core.files import temporary_folder
from breakeven.diagnosis import ladder as ladders
from breakeven.engine.api import measure
from breakeven.engine.isolated import IsolatedCalls
from breakeven.engine.result import Result
from breakeven.engine.settings import Budget
from breakeven.engine.statistics import Interval
from breakeven.results.ladder_record import Climbed, Rung

EAGER = "eager"
TIMEOUT_S = 600.0  # of one rung, which may compile
ALLOWED_ERROR = 1e-5  # of the largest eager output, in fp32

Make = Callable[[], tuple[torch.nn.Module, tuple[torch.Tensor, ...]]]  # a model, and the inputs of a call


@dataclass(frozen=True)
class RungCall:
    """A factory for the engine: the call of a rung, or of the eager model."""

    make: Make
    ladder: str  # "" for eager
    rung: str
    folder: str

    def __call__(self) -> Callable[[], Any]:
        """Return a function without arguments that calls the model once."""
        torch.set_grad_enabled(False)
        model, inputs = self.make()
        call: Callable[..., Any] = model.eval()
        if self.ladder:
            call = ladders.load(self.ladder).step(self.rung, inputs, Path(self.folder)).call
        return lambda: call(*inputs)


def climb(name: str, make: Make, seconds: float, folder: Path, threads: int = 1) -> list[Climbed]:
    """Return the rungs of a ladder for one model, with what each is worth.

    Args:
        name: of the ladder.
        make: can be pickled.
        seconds: to measure for, beyond compilation.
        folder: for the files of the ladder.
        threads: of each call.

    Raises:
        Unsupported: the compiler cannot take this model.
    """
    looked = graphs(name, make, folder)
    able = [each.rung.name for each in looked if not each.reason]
    calls = {EAGER: RungCall(make, "", "", "")}
    calls |= {rung: RungCall(make, name, rung, str(folder)) for rung in able}
    found = measure(calls, check="off", threads=threads, budget=_budget(seconds))
    return [each if each.reason else _timed(each, found) for each in looked]


def graphs(name: str, make: Make, folder: Path, rungs: tuple[str, ...] = ()) -> list[Climbed]:
    """Return the graph of each rung, and how far its outputs are from eager's; nothing is timed.

    Args:
        rungs: the names of some rungs; empty for all of them.

    Raises:
        Unsupported: the compiler cannot take this model.
    """
    own = ladders.load(name)
    wanted = [rung for rung in own.rungs if not rungs or rung.name in rungs]
    with temporary_folder() as scratch, IsolatedCalls(("torch", __name__), scratch, TIMEOUT_S) as calls:
        calls.call(partial(_prepare, name, make, folder))
        eager = calls.call(partial(_eager_outputs, make))
        return [_look(calls, name, rung, make, folder, eager) for rung in wanted]


def _prepare(name: str, make: Make, folder: Path) -> None:
    model, inputs = make()
    ladders.load(name).prepare(model, inputs, folder)


def _eager_outputs(make: Make) -> NDArray[Any]:
    model, inputs = make()
    with torch.no_grad():
        return _as_array(model.eval()(*inputs))


def _look(
    calls: IsolatedCalls, name: str, rung: Rung, make: Make, folder: Path, eager: NDArray[Any]
) -> Climbed:
    try:
        graph, nodes, outputs = calls.call(partial(_run, name, rung.name, make, folder))
    except (Unsupported, Failed, UserError, WrongOutput) as error:
        return Climbed(rung, str(error))
    off = float(np.abs(outputs - eager).max() / max(np.abs(eager).max(), 1e-30))
    wrong = f"its outputs differ from eager's by {off:.1g} of the largest, allowed {ALLOWED_ERROR:g}"
    return Climbed(rung, "" if off <= ALLOWED_ERROR else wrong, graph, nodes, off)


def _run(name: str, rung: str, make: Make, folder: Path) -> tuple[str, dict[str, int], NDArray[Any]]:
    _, inputs = make()
    step = ladders.load(name).step(rung, inputs, folder)
    with torch.no_grad():
        return step.graph, dict(step.nodes), _as_array(step.call(*inputs))


def _as_array(outputs: Any) -> NDArray[Any]:
    first = outputs[0] if isinstance(outputs, list) else outputs  # ONNX Runtime returns a list
    return first if isinstance(first, np.ndarray) else np.asarray(to_array(first))


def _timed(looked: Climbed, found: Result) -> Climbed:
    own = found[looked.rung.name]
    if own.time is None:
        return replace(looked, reason=own.reason)
    below = looked.rung.after
    return replace(
        looked,
        us=1e6 * own.time.value,
        gain=_speedup(found, below, own.name) if below else None,
        over_eager=_speedup(found, EAGER, own.name),
    )


def _speedup(found: Result, base: str, other: str) -> Interval | None:
    if base not in found.variants or found[base].time is None:
        return None
    return found.compare(base, other).speedup


def _budget(seconds: float) -> Budget:
    return Budget(
        seconds=seconds,
        seconds_per_variant=0.0,
        min_replicates=5,
        narrow_replicates=8,
        rounds=10,
        timeout_s=TIMEOUT_S,
    )
