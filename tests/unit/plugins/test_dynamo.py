"""torch.compile that would do nothing is told, instead of measuring eager mode under its name."""

import subprocess
import sys

import pytest
import torch

from breakeven.core.errors import Unsupported
from breakeven.plugins.runtimes import _torch_private

COUNTING = """
import torch
from breakeven.plugins.runtimes import _torch_private

class Counting(torch.nn.Module):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return x * 2 if self.calls % 1_000 else x

_torch_private.configure_inductor(compile_threads=1, freezing=False)
model = torch.compile(Counting().eval(), dynamic=False, backend="eager")
with torch.inference_mode():
    for _ in range(20):
        model(torch.ones(2))
"""


def test_a_model_that_each_call_would_compile_again_is_refused() -> None:
    done = subprocess.run([sys.executable, "-c", COUNTING], capture_output=True, text=True)
    assert done.returncode and "recompile_limit" in done.stderr


@pytest.mark.parametrize("name", ["disable", "suppress_errors"])
def test_a_compiler_that_is_switched_off_is_told(name: str) -> None:
    with torch._dynamo.config.patch(name, True), pytest.raises(Unsupported, match=name):
        _torch_private.require_enabled()
    _torch_private.require_enabled()


def test_the_variable_that_switches_it_off_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_COMPILE_DISABLE", "1")
    with pytest.raises(Unsupported, match="TORCH_COMPILE_DISABLE"):
        _torch_private.require_enabled()
