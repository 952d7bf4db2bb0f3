"""Denormal numbers in a model: so small that a processor takes a hundred times as long to multiply them.

Long weight decay leaves channels of them. Some libraries flush them to zero by themselves, others do not.
Every runtime flushes them here, so that no speedup is that of flushing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from breakeven.artifacts.tensors import Tensors, call

SMALLEST_NORMAL = 0x00800000  # the bits of float32's smallest normal number
LEAST_SHARE = 1e-3  # of a tensor; fewer cost nothing that shows
NAME = "denormal numbers"
REMEDY = (
    "every runtime flushes them to zero here; one that does not is many times slower "
    "(torch flushes after `torch.set_flush_denormal(True)`)"
)


def denormal_note(model: nn.Module, inputs: Tensors) -> str:
    """Return which weights and activations are denormal, and the share of the worst; empty if none are.

    Args:
        model: in evaluation mode.
        inputs: a few inputs of the model.
    """
    worst: list[str] = []
    for shares in (_weights(model), _activations(model, inputs)):
        share, name = max(shares, key=lambda pair: pair[0], default=(0.0, ""))
        if share >= LEAST_SHARE:
            worst.append(f"{share:.1%} of {name}")
    return f"{NAME}: {' and '.join(worst)}" if worst else ""


def denormal_share(tensor: Tensor) -> float:
    """Return the share of a tensor's numbers that are denormal in float32; flushing would not hide them."""
    if tensor.dtype != torch.float32 or not tensor.numel():
        return 0.0
    bits = tensor.detach().contiguous().view(torch.int32) & 0x7FFFFFFF  # without the sign
    return float(((bits > 0) & (bits < SMALLEST_NORMAL)).float().mean())


def _weights(model: nn.Module) -> Iterator[tuple[float, str]]:
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        yield denormal_share(value), name


def _activations(model: nn.Module, inputs: Tensors) -> list[tuple[float, str]]:
    """Return the share in what each innermost layer takes and gives."""
    shares: list[tuple[float, str]] = []

    def look(name: str, layer_inputs: list[Any], output: Any) -> None:
        for title, values in (("takes", layer_inputs), ("gives", output)):
            shares.extend((denormal_share(tensor), f"what {name} {title}") for tensor in _tensors(values))

    def hook(name: str) -> Any:
        return lambda layer, inputs, named, output: look(name, [*inputs, *named.values()], output)

    layers = {name: layer for name, layer in model.named_modules() if not [*layer.children()]}
    hooks = [layer.register_forward_hook(hook(name), with_kwargs=True) for name, layer in layers.items()]
    try:
        with torch.no_grad():
            call(model, inputs)
    finally:
        for handle in hooks:
            handle.remove()
    return shares


def _tensors(values: Any) -> Iterator[Tensor]:
    """Yield the tensors in what a layer takes or gives, at any depth."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, Mapping | list | tuple):
        for value in values.values() if isinstance(values, Mapping) else values:
            yield from _tensors(value)
