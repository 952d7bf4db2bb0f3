"""Networks that compute in another precision or memory layout than that of their inputs."""

import torch
from torch import Tensor, nn

from breakeven.artifacts.tensors import Tensors, each

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class CastModel(nn.Module):
    """A network in another precision, which still takes float32 images or tokens and returns float32 logits.

    The conversions are part of each call, and so is their time.
    """

    def __init__(self, network: nn.Module, precision: str, channels_last: bool) -> None:
        """Convert `network` in place.

        Args:
            network: the network to convert.
            precision: a key of `DTYPES`.
            channels_last: whether to lay tensors out as (N, H, W, C), which many processors prefer.
        """
        super().__init__()
        self.dtype = DTYPES[precision]
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.network = network.to(self.dtype).to(memory_format=self.layout)

    def forward(self, *inputs: Tensor) -> Tensors:
        """Return the float32 outputs for the model's inputs."""
        return each(_as_float, self.network(*map(self._cast, inputs)))

    def _cast(self, value: Tensor) -> Tensor:
        if not value.is_floating_point():  # tokens stay integers
            return value
        form = self.layout if value.ndim == 4 else torch.contiguous_format
        return value.to(self.dtype).contiguous(memory_format=form)


def _as_float(output: Tensor) -> Tensor:
    return output.float() if output.is_floating_point() else output


def convert(model: nn.Module, precision: str, channels_last: bool, preprocessing: str) -> nn.Module:
    """Return `model` in a precision and a memory layout, with float32 logits. The model itself is changed.

    Args:
        model: with "inside", its first child is the preprocessing, which stays in float32.
        precision: a key of `DTYPES`.
        channels_last: whether to lay tensors out as (N, H, W, C).
        preprocessing: "inside" or "outside" of the model.
    """
    if precision == "fp32" and not channels_last:
        return model
    if preprocessing == "outside":
        return CastModel(model, precision, channels_last).eval()
    front, network = model.children()
    return nn.Sequential(front, CastModel(network, precision, channels_last)).eval()


def native_bf16() -> bool:
    """Return whether the processor has instructions for bf16. Emulated bf16 is slower than float32."""
    abilities = torch.cpu.get_capabilities()
    return bool(abilities.get("avx512_bf16") or abilities.get("amx_tile"))
