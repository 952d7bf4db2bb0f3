"""torch.ao's FX graph mode: int8 for TorchScript. It needs torch only.

https://docs.pytorch.org/docs/stable/quantization.html
"""

import copy
import dataclasses
import warnings
from pathlib import Path
from typing import Any

from breakeven.artifacts.inference import batches
from breakeven.core.toolchain_errors import refusal
from breakeven.plugins.quantization._observers import Observed, observer
from breakeven.plugins.quantization.base import CalibrationData, Exporter, Quantization, use_reduced_range


class Fx(Quantization):
    """Quantizes convolutions and linear layers, fused, per channel (static), or linear layers only (dynamic).

    Attributes:
        calibration: how the static scheme finds an activation's range; `Histogram` is torch.ao's default.
        reduce_range: hold activations in 7 bits, as torch.ao always does; by default where the processor has
            no VNNI.
    """

    imports = ("torch.ao.quantization.quantize_fx",)

    calibration: Observed = "Histogram"
    reduce_range: bool | None = None

    def quantize(self, examples: CalibrationData, runtime: Exporter, source: Any, folder: Path) -> None:
        """Convert the torch model, then export it with the runtime."""
        import torch
        from torch import nn
        from torch.ao.quantization import QConfigMapping, default_dynamic_qconfig, get_default_qconfig_mapping
        from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

        from breakeven.artifacts.output_of import OutputOf, whole
        from breakeven.artifacts.tensors import call, each, separate, to_tensors

        torch.backends.quantized.engine = (
            "x86" if "x86" in torch.backends.quantized.supported_engines else "qnnpack"
        )
        with refusal("FX cannot quantize this model"):
            model = copy.deepcopy(source.model)
        # Preprocessing stays in float32, before the quantized network.
        front, network = (model[0], model[1]) if source.preprocessing == "inside" else (nn.Identity(), model)
        chosen = network.scored if isinstance(network, OutputOf) else None
        network = whole(network)  # FX cannot follow the choice of an output
        mapping = (
            self._observed(get_default_qconfig_mapping(torch.backends.quantized.engine))
            if self.scheme == "static"
            else QConfigMapping().set_object_type(nn.Linear, default_dynamic_qconfig)
        )
        with torch.no_grad(), warnings.catch_warnings():
            # torch.ao.quantization is deprecated in favour of torchao, which cannot make TorchScript.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", UserWarning)  # from observers, about old defaults
            with refusal("FX cannot quantize this model"):
                given = each(front, source.example)
                prepared = prepare_fx(network, mapping, separate(given))
                if self.scheme == "static":
                    for batch in batches(examples.calibration, 32):
                        call(prepared, each(front, to_tensors(batch)))
                network = convert_fx(prepared)
        network = network if chosen is None else OutputOf(network, chosen)
        model = network if source.preprocessing == "outside" else nn.Sequential(front, network)
        with warnings.catch_warnings():
            # A trace makes constants of scales and zero points, which are constants.
            warnings.filterwarnings("ignore", "Converting a tensor to a Python")
            runtime.export(dataclasses.replace(source, model=model.eval(), changed=True), folder)

    def _observed(self, mapping: Any) -> Any:
        """Replace the observers of activations in `mapping`, except where an operator's range is fixed."""
        from torch.ao.quantization import observer as observers

        default = mapping.global_qconfig.activation
        chosen = observer(observers, self.calibration, default)
        chosen = chosen.with_args(reduce_range=use_reduced_range(self.reduce_range))
        mapping.set_global(mapping.global_qconfig._replace(activation=chosen))
        for kind, qconfig in mapping.object_type_qconfigs.items():
            if qconfig.activation is default:
                mapping.set_object_type(kind, qconfig._replace(activation=chosen))
        return mapping
