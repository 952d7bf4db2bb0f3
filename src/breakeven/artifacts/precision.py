"""Networks that compute in another precision or memory layout than that of their inputs."""

import torch
from torch import Tensor, nn

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

    def forward(self, images: Tensor) -> Tensor:
        """Return the (N, classes) float32 logits of (N, C, H, W) images or (N, L) tokens."""
        if images.is_floating_point():  # tokens stay integers
            images = images.to(self.dtype).contiguous(memory_format=self.layout)
        logits: Tensor = self.network(images)
        return logits.float()


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
