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


def training_output(model: nn.Module, example: Tensor) -> Any:
    """Return what a copy of the model gives for `example` while it is trained.

    It is a copy because batch normalization and observers would count the input.
    """
    training = copy.deepcopy(model)
    training.train()
    with torch.no_grad():
        return training(example)


def materialize(model: nn.Module, example: Tensor) -> None:
    """Call the model once if it has lazy layers, so that they get their weights."""
    if any(is_lazy(tensor) for tensor in (*model.parameters(), *model.buffers())):
        with evaluating(model), torch.no_grad():
            model(example)


def main_logits(output: Any) -> Any:
    """Return the logits in what a model gives while it is trained.

    Some models also return auxiliary logits, in a tuple, list or mapping. The main ones come first, or have a
    key of `MAIN`.
    """
    if isinstance(output, Mapping):
        named = [output[key] for key in MAIN if key in output]
        return (named or list(output.values()) or [None])[0]
    return output[0] if isinstance(output, tuple | list) and output else output
