"""PT2E: torchao quantizes an exported program, for Inductor or for ExecuTorch's XNNPACK."""

import dataclasses
import importlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from breakeven.artifacts.inference import batches
from breakeven.core.errors import Unsupported
from breakeven.plugins.quantization._observers import Observed, observer
from breakeven.plugins.quantization.base import CalibrationData, Exporter, Quantization, use_reduced_range

INSTALL = "not installed: pip install 'breakeven[{}]'"
# engine -> the module of its quantizer, the quantizer, what makes its settings, from what, its extra
QUANTIZERS: dict[str, tuple[str, str, str, Callable[["Pt2e"], dict[str, bool]], str]] = {
    "x86_inductor": (
        "torchao.quantization.pt2e.quantizer.x86_inductor_quantizer",
        "X86InductorQuantizer",
        "get_default_x86_inductor_quantization_config",
        lambda own: {"reduce_range": use_reduced_range(own.reduce_range)},
        "torchao",
    ),
    "xnnpack": (
        "executorch.backends.xnnpack.quantizer.xnnpack_quantizer",
        "XNNPACKQuantizer",
        "get_symmetric_quantization_config",
        lambda own: {"is_per_channel": True},
        "executorch",
    ),
}


class Pt2e(Quantization):
    """Weights per channel, activations per tensor; what an engine can fuse is quantized as one.

    Attributes:
        calibration: how an activation's range is found; `Histogram` is both engines' own choice.
        reduce_range: activations in 7 bits, for Inductor; by default where the processor has no VNNI.
    """

    scheme: Literal["static"]
    engine: Literal["x86_inductor", "xnnpack"]
    calibration: Observed = "Histogram"
    reduce_range: bool | None = None

    def quantize(self, examples: CalibrationData, runtime: Exporter, source: Any, folder: Path) -> None:
        """Quantize the graph, then export it as any other."""
        import torch

        from breakeven.artifacts.torch_export import export_program

        module, quantizer_name, config_name, settings, extra = QUANTIZERS[self.engine]
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of their own parts, about what is to come
            try:
                from torchao.quantization.pt2e import observer as observers
                from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

                engine = importlib.import_module(module)
            except ImportError:
                raise Unsupported(INSTALL.format(extra)) from None
            config = getattr(engine, config_name)(**settings(self))
            seen = config.input_activation  # and so are outputs
            chosen = observer(observers, self.calibration, seen.observer_or_fake_quant_ctr)
            seen = dataclasses.replace(seen, observer_or_fake_quant_ctr=chosen)
            quantizer = getattr(engine, quantizer_name)()
            quantizer.set_global(dataclasses.replace(config, input_activation=seen, output_activation=seen))
            # Strict: ResNet's blocks call one ReLU twice, and a quantizer has to see two.
            program = export_program(source.model, source.example, strict=True)
            prepared = prepare_pt2e(program.module(), quantizer)
            for batch in batches(examples.calibration, 32):
                prepared(torch.from_numpy(batch))
            converted = convert_pt2e(prepared)
        runtime.export(dataclasses.replace(source, model=converted, changed=True), folder)
