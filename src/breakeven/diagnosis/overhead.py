"""What calling a model and its operators costs in a runtime, and what its profiler adds to that.

Both are measured on models of operators that compute next to nothing. A runtime that fuses such a model into
one operator has no cost per operator that could be seen: it is 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from breakeven.artifacts import saved_model
from breakeven.artifacts.model_manifest import FeatureInput, ModelManifest
from breakeven.diagnosis.chains import FEATURES
from breakeven.diagnosis.clock import p50_us
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime

NAMES = ("Softmax", "Where")  # of the chains: operators with one input, and with three
LENGTHS = (1, 40)
CALLS = 20  # that are profiled in a look
SECONDS = 0.02  # for the p50 of a chain in a look
MODULE_SECONDS = 0.15  # for that of a chain of modules


_Figures = dict[str, float]


@dataclass(frozen=True)
class Chain:
    """The figures of one chain, for its longest and its shortest model."""

    operator_us: float  # of one more operator, unprofiled
    inside_us: float  # that the profiler adds to the time that it tells of an operator
    around_us: list[float]  # that the profiler adds to a call for each operator, a value for each look
    call_us: float  # of a model without operators, unprofiled
    profiled_call_us: float  # that the profiler adds to a call, besides that for the operators
    tensors: float  # that the profiler writes down with an operator


@dataclass(frozen=True)
class Overhead:
    """What calls cost in a runtime, in microseconds."""

    one: Chain  # operators with one input
    three: Chain  # with three

    def inside_us(self, tensors: float) -> float:
        """Return what the profiler adds to the time of an operator.

        Args:
            tensors: that it writes down with the operator.
        """
        return self._at(tensors, self.one.inside_us, self.three.inside_us)

    def added_us(self, operators: float, tensors: float) -> tuple[float, float]:
        """Return the least and the most that the profiler adds to a call of a model, by single looks."""
        pairs = zip(self.one.around_us, self.three.around_us, strict=True)
        each = [operators * self._at(tensors, one, three) for one, three in pairs]
        return self.one.profiled_call_us + min(each), self.one.profiled_call_us + max(each)

    def _at(self, tensors: float, one: float, three: float) -> float:
        more = self.three.tensors - self.one.tensors
        return one + (three - one) * (tensors - self.one.tensors) / more if more else one


class Chains:
    """Two chains, each as a long and as a short model, that are looked at again and again."""

    def __init__(self, runtime: Runtime, context: ExecutionContext, folder: Path) -> None:
        """Load all models in this process, which has started the runtime.

        Args:
            folder: for the files of the chains.

        Raises:
            Unsupported: the runtime cannot take such a model.
        """
        self._runtime, self._context = runtime, context
        self._places = {
            (name, length): artifact(runtime, folder, name, length) for name in NAMES for length in LENGTHS
        }
        self._sessions = {
            each: runtime.load(place, context, "outside") for each, place in self._places.items()
        }
        self._looks: list[dict[tuple[str, int], _Figures]] = []

    def look(self) -> None:
        """Measure all chains once. The machine's speed drifts, so look when the model is measured, too.

        Raises:
            Unsupported: the runtime has no profiler.
        """
        self._looks.append({each: self._figures(each) for each in self._places})

    def overhead(self) -> Overhead:
        """Return the medians of all looks."""
        return Overhead(*(self._chain(name) for name in NAMES))

    def _chain(self, name: str) -> Chain:
        looks = [tuple(look[name, length] for length in LENGTHS) for look in self._looks]
        short, long = (
            {key: float(np.median([look[number][key] for look in looks])) for key in looks[0][0]}
            for number in (0, 1)
        )
        n0, n1 = short.pop("operators"), long.pop("operators")
        more = n1 - n0
        slope = {key: (long[key] - short[key]) / more if more >= 1 else 0.0 for key in short}
        around = [
            ((b["profiled"] - b["us"]) - (a["profiled"] - a["us"])) / more if more >= 1 else 0.0
            for a, b in looks
        ]
        # Some profilers tell as an operator what lies around all of them: that is no part of the call itself.
        outside = max(short["inside"] - n0 * slope["inside"], 0.0)
        return Chain(
            slope["us"],
            slope["inside"] - slope["us"],
            around,
            max(short["us"] - n0 * slope["us"] - outside, 0.0),
            short["profiled"] - short["us"] - n0 * (slope["profiled"] - slope["us"]),
            long["tensors"],
        )

    def _figures(self, each: tuple[str, int]) -> _Figures:
        """Return how many operators the profiler tells of, and their figures in microseconds."""
        inputs, session = _inputs(), self._sessions[each]
        us = p50_us(partial(session.run, session.prepare(inputs)), SECONDS)
        told = self._runtime.profile(self._places[each], self._context, session, inputs, CALLS)
        return {
            "operators": sum(each.calls for each in told.operators),
            "us": us,
            "profiled": 1e3 * told.call_ms,
            "inside": 1e3 * sum(each.ms for each in told.operators),
            "tensors": told.tensors,
        }


def module_us(runtime: Runtime, context: ExecutionContext, folder: Path) -> float:
    """Return what one more call of a module costs that does nothing, where Python calls the modules."""
    short, long = (
        _p50_us(runtime, context, artifact(runtime, folder, "Modules", length)) for length in LENGTHS
    )
    return (long - short) / (LENGTHS[1] - LENGTHS[0])


def artifact(runtime: Runtime, folder: Path, chain: str, length: int) -> Path:
    """Return the folder of a chain's artifact."""
    source, target = folder / f"{chain}-{length}-model", folder / f"{chain}-{length}"
    source.mkdir()
    target.mkdir()
    spec = {"_target_": f"breakeven.diagnosis.chains.{chain}", "_inputs_": {}, "length": length}
    shape = FeatureInput(FEATURES, FEATURES)
    model = saved_model.build(spec, shape).eval()
    nothing: dict[str, Any] = dict.fromkeys(("parameters", "macs", "activations"), 0)
    nothing |= dict.fromkeys(("val_score", "test_score")) | {"mean": [], "std": [], "train_s": 0.0}
    card = ModelManifest(chain, "none", chain, spec, shape, **nothing, made="untrained", key="")
    saved_model.save(source, model, card)
    runtime.export(ExportInput(model, torch.zeros(2, FEATURES), source, "outside"), target)
    return target


def _p50_us(runtime: Runtime, context: ExecutionContext, folder: Path) -> float:
    session = runtime.load(folder, context, "outside")
    call: Callable[[], object] = partial(session.run, session.prepare(_inputs()))
    return p50_us(call, MODULE_SECONDS)


def _inputs() -> NDArray[np.float32]:
    return np.ones((1, FEATURES), dtype=np.float32)
