"""PT2E: torchao quantizes an exported program, for Inductor or for ExecuTorch's XNNPACK.

It needs torchao 0.18 (`breakeven[torchao]`), for XNNPACK also executorch 1.5 (`breakeven[executorch]`).
"""

import dataclasses
import importlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from breakeven.artifacts.inference import batches
from breakeven.core.errors import Unsupported
from breakeven.core.extras import not_installed
from breakeven.core.toolchain_errors import refusal
from breakeven.plugins.quantization._observers import Observed, observer
from breakeven.plugins.quantization.base import CalibrationData, Exporter, Quantization, use_reduced_range

# Engine -> module of its quantizer, quantizer, function that makes its settings, arguments of it, extra
QUANTIZERS: dict[str, tuple[str, str, str, Callable[["Pt2e"], dict[str, bool]], str]] = {
    "x86_inductor": (
        "torchao.quantization.pt2e.quantizer.x86_inductor_quantizer",
        "X86InductorQuantizer",
        "get_default_x86_inductor_quantization_config",
        lambda toolchain: {"reduce_range": use_reduced_range(toolchain.reduce_range)},
        "torchao",
    ),
    "xnnpack": (
        "executorch.backends.xnnpack.quantizer.xnnpack_quantizer",
        "XNNPACKQuantizer",
        "get_symmetric_quantization_config",
        lambda toolchain: {"is_per_channel": True},
        "executorch",
    ),
}


class Pt2e(Quantization):
    """Quantizes weights per channel, activations per tensor, and operators that the engine fuses as one.

    Attributes:
        engine: what computes the int8 operators: Inductor on x86, or XNNPACK for ExecuTorch.
        calibration: how an activation's range is found; `Histogram` is the default of both engines.
        reduce_range: hold activations in 7 bits, for Inductor; by default where the processor has no VNNI.
    """

    imports = ("torch._dynamo", "torch.export._trace", "torchao.quantization.pt2e.quantize_pt2e")

    scheme: Literal["static"]
    engine: Literal["x86_inductor", "xnnpack"]
    calibration: Observed = "Histogram"
    reduce_range: bool | None = None

    def quantize(self, examples: CalibrationData, runtime: Exporter, source: Any, folder: Path) -> None:
        """Quantize the graph, then export it with the runtime."""
        import torch

        from breakeven.artifacts.tensors import separate, to_tensors
        from breakeven.artifacts.torch_export import export_program

        module, quantizer_name, config_name, settings, extra = QUANTIZERS[self.engine]
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about coming changes in the libraries' own parts
            try:
                from torchao.quantization.pt2e import observer as observers
                from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

                engine = importlib.import_module(module)
            except ImportError:
                raise Unsupported(not_installed(extra)) from None
            config = getattr(engine, config_name)(**settings(self))
            activation = config.input_activation  # outputs have the same settings
            chosen = observer(observers, self.calibration, activation.observer_or_fake_quant_ctr)
            activation = dataclasses.replace(activation, observer_or_fake_quant_ctr=chosen)
            quantizer = getattr(engine, quantizer_name)()
            quantizer.set_global(
                dataclasses.replace(config, input_activation=activation, output_activation=activation)
            )
            # Strict, since ResNet's blocks call one ReLU twice, and the quantizer has to see two calls.
            program = export_program(source.model, source.example, source.varying, strict=True)
            with refusal("PT2E cannot quantize this model"):
                prepared = prepare_pt2e(program.module(), quantizer)
                for batch in batches(examples.calibration, 32):
                    prepared(*separate(to_tensors(batch)))
                converted = convert_pt2e(prepared)
        runtime.export(dataclasses.replace(source, model=converted, changed=True), folder)
