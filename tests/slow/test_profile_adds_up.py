"""The parts of a call add up in every runtime that has a profiler, for both models."""

from pathlib import Path

import pytest
from profiled import measured

from breakeven.core import plugin
from breakeven.core.errors import Unsupported

MODELS = ("cnn", "resnet18")
ARGUMENTS = {"_inputs_": {"in_channels": "channels", "num_classes": "classes"}}
RUNTIMES = ("eager", "torchscript", "torch_compile", "aotinductor", "onnxruntime", "openvino", "executorch")
MORE = {"torchscript": {"method": "trace", "freeze": True}}  # that a runtime needs to be told
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore"),  # each toolchain has its own
]
MOST = 0.3  # of the call may be unexplained: figures are in docs/why.md, and a mistake is far larger


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_little_is_unexplained(runtime: str, model: str, tmp_path: Path) -> None:
    try:
        loaded = plugin.load("runtimes", {"name": runtime, **MORE.get(runtime, {})}, f"runtimes.{runtime}")
        told = measured(tmp_path, f"breakeven.plugins.models.{model}.{model}", 2.0, loaded, **ARGUMENTS)
    except Unsupported as error:
        pytest.skip(str(error))
    print(f"{runtime} {model}: {told.unexplained_us / told.us:+.1%} unexplained of {told.us:.1f} µs")
    assert abs(told.unexplained_us) <= MOST * told.us, told.parts()
