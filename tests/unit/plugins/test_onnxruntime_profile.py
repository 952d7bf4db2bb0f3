"""ONNX Runtime cuts times to whole microseconds: what a node takes is found from when the next one begins."""

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
from breakeven.plugins.runtimes.onnxruntime import _with_whole_durations

NODES = {"Conv": 7.3, "Relu": 0.4, "Gemm": 2.6}  # microseconds
CALLS = 4000


def told(calls: int) -> list[dict[str, Any]]:
    """The events of some calls as the profiler writes them: nodes as they end, then the call."""
    begins = np.cumsum(np.random.default_rng(0).uniform(30, 40, calls))
    events: list[dict[str, Any]] = []
    for begin in begins:
        now = begin + 1.7
        for name, us in NODES.items():
            times = {"ts": math.floor(now), "dur": math.floor(us)}
            events.append({"cat": "Node", "name": f"{name}_kernel_time", **times})
            now += us
        events.append({"cat": "Session", "name": "SequentialExecutor::Execute", "ts": math.floor(begin + 1)})
        events.append({"cat": "Session", "name": "model_run", "ts": math.floor(begin), "dur": 13})
    return events


def test_nodes_have_their_true_durations_on_average() -> None:
    spent: dict[str, float] = dict.fromkeys(NODES, 0.0)
    for event in _with_whole_durations(told(CALLS)):
        spent[event["name"].removesuffix("_kernel_time")] += event["dur"] / CALLS
    assert spent["Conv"] == pytest.approx(NODES["Conv"], abs=0.05)
    assert spent["Relu"] == pytest.approx(NODES["Relu"], abs=0.05)
    assert spent["Gemm"] == pytest.approx(2.5)  # nothing follows it, and half a unit is cut off on average


def test_each_event_of_a_node_is_told_once() -> None:
    assert len([*_with_whole_durations(told(10))]) == 10 * len(NODES)
    assert not [*_with_whole_durations([])]
