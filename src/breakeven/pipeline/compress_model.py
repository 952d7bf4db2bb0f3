"""The application of one compression to a model, tried first in a process of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from breakeven.artifacts import saved_model
from breakeven.artifacts.model_manifest import read_card
from breakeven.artifacts.module_modes import evaluated
from breakeven.engine.isolated import IsolatedCalls
from breakeven.pipeline.sanity import require_trainable
from breakeven.plugins.compression.base import Compression, TrainingBatches

MODULES = ("torch", "breakeven.pipeline.compress_model")  # that the process needs


@dataclass(frozen=True)
class ModelToCompress:
    """A model on disk, or a new one with random weights if the compression changes the architecture."""

    folder: Path
    spec: Mapping[str, Any]  # `_target_` and arguments
    seed: int
    place: str  # the dotted key of the recipe, for messages

    @property
    def past(self) -> list[Any]:
        """Return the steps of pruning that the model has behind it."""
        card = read_card(self.folder)
        return card.pruning if self.spec == card.model else []

    def begin(self) -> nn.Module:
        """Load or construct the model."""
        card = read_card(self.folder)
        if self.spec == card.model:
            return saved_model.load(self.folder)[0]
        torch.manual_seed(self.seed)
        return evaluated(saved_model.build(self.spec, card.shape, self.place))


@dataclass(frozen=True)
class Application:
    """What a compression is applied to, and with."""

    start: ModelToCompress
    compression: Compression
    lessons: TrainingBatches
    outputs: tuple[int, ...]  # the shape of what the model gives for one sample

    def __call__(self) -> tuple[nn.Module, list[Any]]:
        """Return the compressed model, and the steps that rebuild its structure."""
        model, shape = self.start.begin(), read_card(self.start.folder).shape
        example = shape.example(2)
        steps = self.compression.apply(model, example, self.lessons)
        require_trainable(model, example, self.outputs)
        return model, steps

    def steps(self) -> list[Any]:
        """Return only the steps, which another process can take."""
        return self()[1]


def apply(application: Application, isolated: IsolatedCalls) -> tuple[nn.Module, list[Any]]:
    """Return the compressed model, and the steps that rebuild its structure.

    A library that follows a model's graph may crash, hang, or fill the memory. So it runs in a process of its
    own, and this process repeats its steps. A compression without steps has proved there that it comes back.

    Raises:
        Unsupported: the compression cannot be applied to the model.
        Failed: applying it broke its process, or took too long or too much memory.
    """
    steps = isolated.call(application.steps)
    if not steps:
        return application()
    model = application.start.begin()
    saved_model.prune_again(model, read_card(application.start.folder).shape, steps)
    return model, steps
