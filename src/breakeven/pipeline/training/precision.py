"""Whether a training computes in bfloat16."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from breakeven.artifacts.precision import native_bf16
from breakeven.config.training import TrainingConfig
from breakeven.core.errors import UserError


def bf16(recipe: TrainingConfig, model: nn.Module, shape: Sequence[int]) -> bool:
    """Whether to train in bf16: where it is asked for, and by default where it is fast and right.

    Args:
        shape: (C, H, W) of the images.

    Raises:
        UserError: it is asked for where its gradients would be garbage.
    """
    if recipe.precision == "fp32":
        return False
    if torch.cuda.is_available():
        return recipe.precision == "bf16" or bool(torch.cuda.is_bf16_supported())
    sound = not any(strides_over_one_pixel(model, shape, side) for side in set(recipe.sides))
    if recipe.precision == "bf16":
        if not sound:
            raise UserError(
                f"precision=bf16: at {'x'.join(map(str, shape[1:]))} pixels the model has a strided "
                f"convolution over a single pixel, whose bf16 gradient on a CPU is garbage: use fp32, or "
                f"larger images."
            )
        return True
    # Emulated bf16 is slower than fp32: only instructions of the processor's own count.
    return sound and native_bf16()


def strides_over_one_pixel(model: nn.Module, shape: Sequence[int], side: float = 1.0) -> bool:
    """Whether a convolution with a stride gets images of one pixel when the model gets ones of `shape`.

    Seen in torch 2.14 (oneDNN): the bf16 gradient of such a convolution's weights is left uninitialized where
    the kernel meets padding alone. Outputs do not show it; pruning and quantization stumble over the weights.
    """
    found: list[nn.Module] = []

    def look(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(module, nn.Conv2d)
        if inputs[0].shape[-2:] == (1, 1) and max(module.stride) > 1 and max(module.kernel_size) > 1:
            found.append(module)

    channels, height, width = shape
    hooks = [m.register_forward_hook(look) for m in model.modules() if isinstance(m, nn.Conv2d)]
    training = model.training
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, channels, int(height * side), int(width * side)))
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    return bool(found)
