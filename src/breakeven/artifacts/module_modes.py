"""Modes of a user's module: evaluation, training, and lazy layers that a first call completes.

A module may override `train` without a return, so nothing here uses what `train` and `eval` return.
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from breakeven.artifacts.output_of import scored_number
from breakeven.artifacts.tensors import Tensors, call, each

M = TypeVar("M", bound=nn.Module)
MAIN = ("logits", "out")  # keys of the logits, in models that return a mapping while they are trained


def evaluated(model: M) -> M:
    """Set the model to evaluation mode, and return it."""
    model.eval()
    return model


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Set the model to evaluation mode; at the end of the `with` block, each module has its mode again."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def training_output(model: nn.Module, example: Tensors) -> Any:
    """Return what a copy of the model gives for `example` while it is trained.

    It is a copy because batch normalization and observers would count the input.
    """
    forget_history(model)
    training = copy.deepcopy(model)
    training.train()
    with torch.no_grad():
        return call(training, example)


def forget_history(model: nn.Module) -> None:
    """Cut each tensor that a hook computes from parameters off their gradients, so that it can be copied.

    The hook computes it again at the next call.
    """
    for module in model.modules():
        for name, value in vars(module).items():
            if isinstance(value, Tensor) and not value.is_leaf:
                vars(module)[name] = value.detach()


def materialize(model: nn.Module, example: Tensors) -> None:
    """Call the model if it has lazy layers, so that they get their weights; its other state stays as it is.

    It is called in training mode, too, if there are layers that only training calls.

    Raises:
        ValueError: a lazy layer is called in neither mode.
    """
    if not _lazy(model):
        return
    with evaluating(model), torch.no_grad():
        call(model, example)
    if not _lazy(model):
        return
    known = [tensor for tensor in (*model.parameters(), *model.buffers()) if not is_lazy(tensor)]
    before = [tensor.detach().clone() for tensor in known]
    with evaluating(model), torch.no_grad(), torch.random.fork_rng(devices=[]):
        model.train()
        call(
            model, each(lambda tensor: torch.cat([tensor, tensor]), example)
        )  # two: batch normalization refuses one
        for tensor, value in zip(known, before, strict=True):
            tensor.copy_(value)
    if names := _lazy(model):
        raise ValueError(f"{names[0]} is lazy, and no call of the model gives it its weights: remove it")


def _lazy(model: nn.Module) -> list[str]:
    """Return the names of the parameters and buffers that no call has completed yet."""
    named = (*model.named_parameters(), *model.named_buffers())
    return [name for name, tensor in named if is_lazy(tensor)]


def scored_outputs(model: nn.Module, output: Any) -> Any:
    """Return the outputs that are scored in what a model gives while it is trained: a tensor, or several.

    Some models also return auxiliary logits, in a tuple, list or mapping. The main ones come first, or have a
    key of `MAIN`.
    """
    if (number := scored_number(model)) > 1:
        return tuple(output[:number])
    if isinstance(output, Mapping):
        named = [output[key] for key in MAIN if key in output]
        return (named or list(output.values()) or [None])[0]
    return output[0] if isinstance(output, tuple | list) and output else output
