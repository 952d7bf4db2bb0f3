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

LENGTHS = (1, 40)  # of the chains
CALLS = 80  # that are profiled
SECONDS = 0.1  # for the p50 of a chain


@dataclass(frozen=True)
class Chain:
    """The figures of one chain, for its longest and its shortest model."""

    operator_us: float  # of one more operator, unprofiled
    inside_us: float  # that the profiler adds to the time that it tells of an operator
    around_us: float  # that the profiler adds to a call of the model for each operator
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

    def around_us(self, tensors: float) -> float:
        """Return what the profiler adds to a call of the model for each operator."""
        return self._at(tensors, self.one.around_us, self.three.around_us)

    def _at(self, tensors: float, one: float, three: float) -> float:
        more = self.three.tensors - self.one.tensors
        return one + (three - one) * (tensors - self.one.tensors) / more if more else one


def measure(runtime: Runtime, context: ExecutionContext, folder: Path) -> Overhead:
    """Return the overhead of a runtime in this process, which has started it.

    Args:
        folder: for the files of the chains.

    Raises:
        Unsupported: the runtime cannot take such a model, or has no profiler.
    """
    one = _chain(runtime, context, folder, "Softmax")
    return Overhead(one, _chain(runtime, context, folder, "Where"))


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


def _chain(runtime: Runtime, context: ExecutionContext, folder: Path, name: str) -> Chain:
    (n0, short), (n1, long) = (
        _figures(runtime, context, artifact(runtime, folder, name, length)) for length in LENGTHS
    )
    more = n1 - n0
    slope = {name: (long[name] - short[name]) / more if more >= 1 else 0.0 for name in short}
    around = slope["profiled"] - slope["us"]
    # Some profilers tell as an operator what lies around all of them: that is no part of the call itself.
    told = max(short["inside"] - n0 * slope["inside"], 0.0)
    return Chain(
        slope["us"],
        slope["inside"] - slope["us"],
        around,
        max(short["us"] - n0 * slope["us"] - told, 0.0),
        short["profiled"] - short["us"] - n0 * around,
        long["tensors"],
    )


def _figures(runtime: Runtime, context: ExecutionContext, folder: Path) -> tuple[float, dict[str, float]]:
    """Return how many operators the profiler tells of, and their figures in microseconds."""
    session = runtime.load(folder, context, "outside")
    inputs = _inputs()
    us = p50_us(partial(session.run, session.prepare(inputs)), SECONDS)
    told = runtime.profile(folder, context, session, inputs, CALLS)
    return sum(each.calls for each in told.operators), {
        "us": us,
        "profiled": 1e3 * told.call_ms,
        "inside": 1e3 * sum(each.ms for each in told.operators),
        "tensors": told.tensors,
    }


def _p50_us(runtime: Runtime, context: ExecutionContext, folder: Path) -> float:
    session = runtime.load(folder, context, "outside")
    call: Callable[[], object] = partial(session.run, session.prepare(_inputs()))
    return p50_us(call, SECONDS)


def _inputs() -> NDArray[np.float32]:
    return np.ones((1, FEATURES), dtype=np.float32)
