"""torch.compile's settings that change what Inductor makes of a model."""

from collections import Counter
from pathlib import Path
from typing import Any

import torch
import torch._inductor.config
from torch import Tensor, nn

from breakeven.core.toolchain_errors import refusal
from breakeven.diagnosis.ladder import Ladder, Step
from breakeven.plugins.runtimes import _torch_private
from breakeven.results.ladder_record import Rung

FILE = "model.pt2"
KERNELS = ("extern_kernels.", "cpp_fused", "torch.ops.")


class Inductor(Ladder):
    """As it is typed, with frozen weights, and with channels last."""

    title = "torch.compile"
    rungs = (
        Rung("typed", "torch.compile(model)"),
        Rung("freezing", "weights are constants, laid out as the kernels want them", "typed"),
        Rung("channels_last", "images and weights have the channels as the last dimension", "freezing"),
    )

    def prepare(self, model: nn.Module, inputs: tuple[Tensor, ...], folder: Path) -> None:
        """Export the model, so that each rung compiles the same program."""
        with torch.no_grad(), refusal("torch.export cannot take this model"):
            torch.export.save(torch.export.export(model.eval(), inputs), folder / FILE)

    def step(self, rung: str, inputs: tuple[Tensor, ...], folder: Path) -> Step:
        """Compile the program with the settings up to this rung."""
        import torch._inductor.utils

        _torch_private.require_compiler()
        below = self.below(rung)
        _torch_private.configure_inductor(compile_threads=1, freezing="freezing" in below)
        module: Any = torch.export.load(folder / FILE).module()
        given = inputs
        if "channels_last" in below:
            module = module.to(memory_format=torch.channels_last)
            given = tuple(_channels_last(tensor) for tensor in inputs)
        compiled: Any = torch.compile(module, fullgraph=True, dynamic=False)
        with torch.no_grad():
            utils = torch._inductor.utils
            _, codes = utils.run_and_get_code(compiled, *given)
        code = "\n".join(codes)
        return Step(lambda *_: compiled(*given), code, _calls(code))


def _channels_last(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def _calls(code: str) -> Counter[str]:
    """Return how often the code calls each kernel, without the numbers in the kernels' names."""
    found: Counter[str] = Counter()
    for line in code.partition("def call(")[2].splitlines():
        called = line.strip().partition(" = ")[2] or line.strip()
        name = called.partition("(")[0]
        if name.startswith(KERNELS):
            found["cpp_fused" if name.startswith("cpp_fused") else name] += 1
    return found
