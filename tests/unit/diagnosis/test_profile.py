"""A profile of a real model: every part is measured, and they add up."""

from pathlib import Path

import pytest
from profiled import measured

from breakeven.artifacts.operator_kinds import CONVOLUTION, NORMALIZATION
from breakeven.core import plugin
from breakeven.results.time_profile import TimeProfile

CNN = "breakeven.plugins.models.cnn.cnn"
ARGUMENTS = {"_inputs_": {"in_channels": "channels", "num_classes": "classes"}}


@pytest.fixture(scope="module")
def eager(tmp_path_factory: pytest.TempPathFactory) -> TimeProfile:
    return measured(tmp_path_factory.mktemp("eager"), CNN, 0.4, **ARGUMENTS)


def test_the_parts_add_up_to_the_call(eager: TimeProfile) -> None:
    assert eager.low <= eager.us <= eager.high
    assert sum(eager.parts().values()) == pytest.approx(eager.us)
    assert eager.dispatch_us > 0 and eager.python_us > 0 and eager.call_us > 0


def test_operators_are_named_by_what_they_do(eager: TimeProfile) -> None:
    kinds = eager.kinds()
    assert next(iter(kinds)) == CONVOLUTION and NORMALIZATION in kinds
    (conv,) = (part for part in eager.operators if part.operator == "aten::conv2d")
    assert conv.calls == pytest.approx(6) and conv.precision == "fp32"


def test_modules_have_the_names_that_the_user_gave(eager: TimeProfile) -> None:
    named = {module.name: module.kind for module in eager.modules}
    assert named[""] and "Conv2d" in named.values() and "BatchNorm2d" in named.values()
    assert sum(module.us for module in eager.modules) == pytest.approx(eager.us - eager.call_us)


def test_a_runtime_without_python_has_no_modules(tmp_path: Path) -> None:
    runtime = plugin.load("runtimes", {"name": "onnxruntime"}, "runtimes.onnxruntime")
    told = measured(tmp_path, CNN, 0.4, runtime, **ARGUMENTS)
    assert not told.modules and told.python_us == 0
    assert sum(told.parts().values()) == pytest.approx(told.us)
    assert next(iter(told.kinds())) == CONVOLUTION
