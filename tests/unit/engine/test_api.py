"""The public API: what it exports, what it measures, and how it fails. Real processes; no absolute times."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import breakeven
from breakeven import Budget, measure
from breakeven.core.errors import UserError
from breakeven.engine.result import Result
from breakeven.engine.settings import RunProgress

pytestmark = pytest.mark.timeout(300)
# As little as there can be.
BUDGET = Budget(
    seconds=0, seconds_per_variant=0, min_replicates=2, rounds=3, block_ms=1, settle_ms=1, warm_up_calls=1
)


def quick(variants: dict, inputs: tuple | None = None, **options: object) -> Result:
    return measure(variants, inputs, **{"budget": BUDGET, **options})  # type: ignore[arg-type]


def test_the_package_exports_these_names_only() -> None:
    assert breakeven.__all__ == ["Budget", "Result", "Scenario", "__version__", "load_variant", "measure"]
    for name in breakeven.__all__:
        assert getattr(breakeven, name) and name in dir(breakeven)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        breakeven.nothing  # noqa: B018


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "torch numpy scipy pydantic dvc mlflow hydra lightning"
    code = f"import sys, breakeven; print([m for m in '{heavy}'.split() if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_listing_commands_and_measuring_functions_import_no_torch(tmp_path: Path) -> None:
    code = """
import sys
import breakeven.cli.main as cli
try:
    cli.main(["--help"])
except SystemExit:
    pass
import breakeven.engine.api, breakeven.engine.forkserver_main, breakeven.engine.call_loader
print([name for name in ("torch", "dvc", "mlflow", "hydra", "lightning") if name in sys.modules])
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True).splitlines()[-1] == "[]"


def sleeping(milliseconds: float):
    def factory():
        import time

        return lambda: time.sleep(milliseconds / 1000)

    return factory


def test_closures_are_measured_and_the_result_reads_as_promised() -> None:
    steps: list[RunProgress] = []
    result = quick({"a": sleeping(1), "b": sleeping(4), "c": sleeping(4)}, progress=steps.append)
    assert list(result) == ["a", "b", "c"] and result.baseline == "a"
    assert result["a"].verdict == "baseline" and result["a"].speedup is None
    for name in "bc":
        gain = result[name].speedup
        assert gain and gain.low <= gain.value <= gain.high and gain.value < 1
        assert result[name].time and result[name].time.value > 0.004  # seconds
    assert result.control and result.control.verdict == "twin" and result.control.speedup
    assert result.compare("b", "a").speedup.value > 1  # type: ignore[union-attr]
    assert steps and result.stopped
    read = json.loads(result.to_json())
    assert read["variants"]["b"]["speedup"]["value"] == result["b"].speedup.value  # type: ignore[union-attr]
    text = str(result)
    assert max(map(len, text.splitlines())) <= 80
    assert "twin" in text and "verdict" in text and "ms" in text
    with pytest.raises(KeyError, match="there are a, b, c"):
        result["d"]
    with pytest.raises(UserError, match="name two of a, b, c"):
        result.compare("b", "b")


def test_one_variant_alone_is_an_a_a_run() -> None:
    result = quick({"a": sleeping(1)})
    assert list(result) == ["a"] and result.control and result.control.detectable
    assert "This was an A/A run" in str(result)


def test_short_calls_are_timed_in_loops_whose_cost_is_stated() -> None:
    result = quick({"a": lambda: int})
    assert result.loop_ns and result.loop_ns > 0
    assert all(block.inner > 1 for replicate in result["a"].replicates for block in replicate.blocks)
    assert "timed in loops" in str(result)


def test_calls_get_the_inputs_and_the_baseline_can_be_chosen() -> None:
    inputs = (np.arange(6.0).reshape(2, 3), 2)
    variants = {"power": lambda: lambda x, n: x**n, "product": lambda: lambda x, n: x * x}
    result = quick(variants, inputs, baseline="product")
    assert result["product"].verdict == "baseline" and result["power"].time


def test_a_module_is_called_in_evaluation_mode_without_gradients() -> None:
    class Probe(torch.nn.Module):
        def forward(self, x):
            assert isinstance(x, torch.Tensor) and torch.is_inference_mode_enabled() and not self.training
            return x + 1

    result = quick({"given": Probe(), "made": Probe}, (np.zeros((1, 3), np.float32),))
    assert result["given"].time and result["made"].time


def test_a_wrong_output_is_never_timed() -> None:
    result = quick({"a": lambda: lambda: [1.0, 2.0], "b": lambda: lambda: [1.0, 2.5]})
    assert result["b"].verdict == "wrong" and "off by up to 0.5" in result["b"].reason
    assert result["b"].time is None and result["a"].time is None
    assert "b is wrong" in str(result)
    assert quick({"a": lambda: lambda: 1, "b": lambda: lambda: 2}, check="off")["b"].time
    assert quick({"a": lambda: lambda: 1, "b": lambda: lambda: 2}, check=lambda one, two: two > one)["b"].time


def test_a_baseline_that_is_different_each_time_cannot_be_compared() -> None:
    with pytest.raises(UserError, match="returns something else in each process"):
        quick({"a": lambda: os.getpid, "b": lambda: lambda: 1}, check="equal")


def raising(*numbers: int) -> None:
    raise ValueError("no such file")


def sorting(numbers: Sequence[int] = ()) -> list[int] | None:
    return sorted(numbers) or None


def changing() -> Callable[[list[int]], list[int]]:
    """Return a function that sorts in place: its later calls get sorted numbers."""

    def call(numbers: list[int]) -> list[int]:
        numbers.sort()
        return numbers

    return call


FAULTS = {
    "factory": (raising, "its factory raised: ValueError: no such file"),
    "call": (lambda: raising, "ValueError: no such file"),
    "kill": (lambda: lambda numbers: os.kill(os.getpid(), signal.SIGKILL), "killed by SIGKILL"),
    "argument": (changing, "it changes its arguments"),
    "number": (lambda: 3, "its factory returned an int, which cannot be called"),
    "parameter": (lambda x: x, "a factory is called without arguments"),
    "module": ("nowhere_to_be_found.module:f", "cannot be imported: ModuleNotFoundError"),
    "name": ("json:dump5", "there is no 'dump5'; did you mean 'dump"),
    "file": ("nofile.py:f", "there is no file"),
}


@pytest.fixture(scope="module")
def with_faults() -> Result:
    """A run of a good variant and of all that fail."""
    variants: dict[str, Any] = {"good": lambda: sorting}
    variants |= {name: factory for name, (factory, _) in FAULTS.items()}
    return measure(variants, ([3, 1, 2],), budget=BUDGET)


@pytest.mark.parametrize("name", FAULTS)
def test_a_variant_that_fails_has_one_sentence(with_faults: Result, name: str) -> None:
    assert with_faults[name].verdict == "failed" and FAULTS[name][1] in with_faults[name].reason
    assert "Traceback" not in str(with_faults) and with_faults["good"].verdict == "baseline"


@pytest.mark.slow
def test_a_call_that_hangs_has_one_sentence() -> None:
    budget = replace(BUDGET, timeout_s=10)
    result = measure({"a": lambda: sorting, "bad": lambda: lambda: time.sleep(1000)}, budget=budget)
    assert result["bad"].verdict == "failed" and "no answer within 10 s" in result["bad"].reason


@pytest.mark.parametrize("name", [name for name, (factory, _) in FAULTS.items() if not callable(factory)])
def test_a_baseline_that_fails_ends_the_run(name: str) -> None:
    with pytest.raises(UserError, match=r"^bad "):
        measure({"bad": FAULTS[name][0]}, budget=BUDGET)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"within": 0}, "within=0"),
        ({"max_seconds": float("nan")}, "max_seconds=nan"),
        ({"threads": 0}, "threads=0"),
        ({"check": "exact"}, "check=exact: give one of close, equal, off"),
        ({"baseline": "z"}, "baseline=z: is none of the variants a"),
        ({"device": "tpu"}, "device=tpu"),
        ({"inputs": np.ones(3)}, "inputs: give a tuple"),
    ],
)
def test_arguments_without_sense_are_refused(options: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        measure({"a": lambda: lambda: None}, **options)


def test_no_variants_and_a_taken_name_are_refused() -> None:
    with pytest.raises(UserError, match="give at least one"):
        measure({})
    with pytest.raises(UserError, match="name of the copy"):
        measure({"twin": lambda: lambda: None})
    with pytest.raises(UserError, match="cannot be sent to another process"):
        lock = __import__("threading").Lock()
        measure({"a": lambda: lambda: lock})


def test_an_artifact_is_loaded_and_called(untrained: Path) -> None:
    from breakeven.engine.selftest.models import CNN

    folder = untrained / "onnxruntime"
    assert breakeven.load_variant(folder)(CNN.images(3)).shape[0] == 3
    result = quick({"a": folder, "b": str(folder)}, (CNN.images(1),))
    assert result["b"].time
    with pytest.raises(UserError, match="is not the folder of an artifact"):
        breakeven.load_variant(folder.parent)
