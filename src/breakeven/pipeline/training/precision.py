"""The decision whether a training computes in bfloat16."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from breakeven.artifacts.module_modes import evaluating
from breakeven.artifacts.precision import native_bf16
from breakeven.config.training import TrainingConfig
from breakeven.core.errors import UserError


def use_bf16(config: TrainingConfig, model: nn.Module, shape: Sequence[int]) -> bool:
    """Return whether to train in bf16: if the user chose it, and by default where it is fast and correct.

    Args:
        shape: of one input: (C, H, W) of images, (F,) of features.

    Raises:
        UserError: the user chose bf16, and its gradients would be garbage.
    """
    if config.precision == "fp32":
        return False
    if torch.cuda.is_available():
        return config.precision == "bf16" or bool(torch.cuda.is_bf16_supported())
    sound = len(shape) != 3 or not any(
        strides_over_one_pixel(model, shape, side) for side in set(config.sides)
    )
    if config.precision == "bf16":
        if not sound:
            raise UserError(
                f"precision=bf16: at {'x'.join(map(str, shape[1:]))} pixels the model has a strided "
                f"convolution over a single pixel, whose bf16 gradient on a CPU is garbage: use fp32, or "
                f"larger images."
            )
        return True
    # Emulated bf16 is slower than fp32.
    return sound and native_bf16()


def strides_over_one_pixel(model: nn.Module, shape: Sequence[int], side: float = 1.0) -> bool:
    """Return whether images of `shape` reach a convolution with a stride as a single pixel.

    In torch 2.14 (oneDNN), the bf16 gradient of such a convolution's weights is uninitialized where
    the kernel meets only padding. Outputs do not show it, but pruning and quantization fail on the weights.
    """
    convolutions: list[nn.Module] = []

    def look(module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        assert isinstance(module, nn.Conv2d)
        images: Tensor = next(iter((*inputs, *named.values())))
        if images.shape[-2:] == (1, 1) and max(module.stride) > 1 and max(module.kernel_size) > 1:
            convolutions.append(module)

    channels, height, width = shape
    hooks = [
        m.register_forward_pre_hook(look, with_kwargs=True)
        for m in model.modules()
        if isinstance(m, nn.Conv2d)
    ]
    try:
        with evaluating(model), torch.no_grad():
            model(torch.zeros(1, channels, int(height * side), int(width * side)))
    finally:
        for hook in hooks:
            hook.remove()
    return bool(convolutions)
