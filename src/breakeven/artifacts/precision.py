"""A network computed in another precision or memory layout than it is given its inputs in."""

import torch
from torch import Tensor, nn

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class CastModel(nn.Module):
    """Takes float32 images, or tokens, gives float32 logits, whatever is in between.

    What the conversions take of each call is part of the call.
    """

    def __init__(self, network: nn.Module, precision: str, channels_last: bool) -> None:
        """Change `network` itself.

        Args:
            channels_last: (N, H, W, C) in memory, which the convolutions of many processors prefer.
        """
        super().__init__()
        self.dtype = DTYPES[precision]
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.network = network.to(self.dtype).to(memory_format=self.layout)

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, classes)."""
        if images.is_floating_point():  # tokens stay what they are
            images = images.to(self.dtype).contiguous(memory_format=self.layout)
        logits: Tensor = self.network(images)
        return logits.float()


def convert(model: nn.Module, precision: str, channels_last: bool, preprocessing: str) -> nn.Module:
    """`model`, which is changed, with its own preprocessing (if that is "inside") still in float32."""
    if precision == "fp32" and not channels_last:
        return model
    if preprocessing == "outside":
        return CastModel(model, precision, channels_last).eval()
    front, network = model.children()
    return nn.Sequential(front, CastModel(network, precision, channels_last)).eval()


def native_bf16() -> bool:
    """Whether the processor has instructions for bf16: emulated, it is slower than float32."""
    abilities = torch.cpu.get_capabilities()
    return bool(abilities.get("avx512_bf16") or abilities.get("amx_tile"))
