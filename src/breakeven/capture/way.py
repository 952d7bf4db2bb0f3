"""A way to capture a model as a graph: one file in `capture/ways`, found by its name."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from breakeven.capture.example import Example
from breakeven.core.plugin import module_names, only_object

WAYS = "breakeven.capture.ways"  # the package of the files


@dataclass(frozen=True)
class Break:
    """A place where a graph ends and Python goes on."""

    kind: str  # as Dynamo's registry names it
    line: str  # the user's source line: "file.py:12: if x.sum() > 0:"; "" if nobody knows


@dataclass
class Captured:
    """What a way made of a model."""

    call: Callable[..., Any]  # takes the model's arguments
    module: nn.Module | None = None  # what holds its buffers, if it keeps any
    is_stateless: bool = False  # whether no call can change what later calls give
    is_flat: bool = False  # whether it returns only the tensors of the outputs, in their order
    graphs: Callable[[], int] = lambda: 1  # how many graphs the calls so far needed
    breaks: Callable[[], Sequence[Break]] = tuple


class Way(ABC):
    """A way to capture a model."""

    title: ClassVar[str]  # what its users call it
    is_heavy: ClassVar[bool] = False  # whether it compiles, and so takes seconds a model
    modules: ClassVar[tuple[str, ...]] = ()  # what its processes import before they are forked

    @abstractmethod
    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Capture a model, which the way may change.

        Args:
            any_batch: whether the model takes any number of samples, so that the graph should.
            folder: for files.

        Raises:
            Exception: the tool refuses the model.
        """


def names() -> list[str]:
    """Return the names of all ways."""
    return module_names(WAYS)


def load(name: str) -> Way:
    """Return a way.

    Raises:
        UserError: there is none of this name.
    """
    way: Way = only_object(WAYS, name, "way")
    return way
