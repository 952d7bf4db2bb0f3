"""A file of ONNX as a function of tensors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from breakeven.capture.example import Example, tensors_of


def names_of(model: nn.Module, example: Example) -> tuple[list[str], list[str]]:
    """Return a name for each tensor, in the order of the model's signature, and in that of the call."""
    in_signature = tensors_of(list(example.by_name(model).values()))
    names = {id(tensor): f"input_{number}" for number, tensor in enumerate(in_signature)}
    return list(names.values()), [names[id(tensor)] for tensor in example.tensors]


def run(file: Path, names: list[str]) -> Callable[..., Any]:
    """Return a function that takes a model's arguments, and returns the tensors of ONNX Runtime.

    Args:
        names: of the tensors among the arguments, in the order of the call. The file may lack
            those that it does not need.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    wanted = {each.name for each in session.get_inputs()}

    def call(*args: Any, **kwargs: Any) -> list[Tensor]:
        given = zip(names, tensors_of((args, kwargs)), strict=True)
        feed = {name: tensor.detach().numpy() for name, tensor in given if name in wanted}
        return [torch.as_tensor(output) for output in session.run(None, feed)]

    return call
