"""What a runtime is: it turns a model into files, and files into something that can be called."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from breakeven.option import Option

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Source:
    """What is exported."""

    model: "nn.Module"  # in evaluation mode; with preprocessing, if that is to be inside
    example: "Tensor"  # a batch of two real inputs
    folder: Path  # the model's own files
    preprocessing: str  # "inside" or "outside"


@dataclass(frozen=True)
class Session:
    """A loaded artifact. Only `run` is timed."""

    prepare: Callable[[NDArray[Any]], Any]  # (N, C, H, W) images -> the runtime's own input
    run: Callable[[Any], Any]
    result: Callable[[Any], NDArray[np.float32]]  # the runtime's own output -> (N, classes) logits


class Runtime(Option, ABC):
    """Settings of one way to execute a model.

    Attributes:
        modules: what it executes with; imported before a worker's process is forked, once for all that need
            the same, and before its memory is counted.
    """

    modules: ClassVar[tuple[str, ...]]

    @abstractmethod
    def export(self, source: Source, folder: Path) -> None:
        """Write the artifact's files into `folder`.

        Raises:
            Unsupported: this runtime cannot take this model, or is not installed.
        """

    @abstractmethod
    def start(self, folder: Path, threads: int) -> None:
        """Ready the library for the artifact in `folder`; the memory used then is the floor.

        Raises:
            Unsupported: it is not installed.
        """

    @abstractmethod
    def load(self, folder: Path, threads: int, preprocessing: str) -> Session:
        """Make the artifact in `folder` ready to run."""


def torch_session(module: "Callable[[Tensor], Tensor]") -> Session:
    """A session for whatever takes and gives torch's tensors."""
    import torch

    def run(inputs: "Tensor") -> "Tensor":
        with torch.inference_mode():
            return module(inputs)

    def result(output: "Tensor") -> NDArray[np.float32]:
        logits: NDArray[np.float32] = output.float().numpy()
        return logits

    return Session(torch.from_numpy, run, result)
