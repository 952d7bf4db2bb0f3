"""A ladder: the passes of a compiler as rungs, each of which can be run, and read as a graph.

A ladder is one file in `diagnosis/ladders`, with the name of the runtime that it explains.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from breakeven.core.plugin import module_names, only_object
from breakeven.results.ladder_record import Rung

if TYPE_CHECKING:
    from torch import Tensor, nn

LADDERS = "breakeven.diagnosis.ladders"  # the package of the files


@dataclass(frozen=True)
class Step:
    """A model after a rung's passes."""

    call: Callable[..., Any]  # takes the model's inputs
    graph: str  # as text, for people
    nodes: Mapping[str, int]  # kind -> how many the graph has


class Ladder(ABC):
    """A compiler whose passes can be applied one after the other."""

    title: ClassVar[str]
    rungs: ClassVar[tuple[Rung, ...]]

    @abstractmethod
    def prepare(self, model: "nn.Module", inputs: "tuple[Tensor, ...]", folder: Path) -> None:
        """Write into `folder` what all rungs start from.

        Raises:
            Unsupported: the compiler cannot take this model.
        """

    @abstractmethod
    def step(self, rung: str, inputs: "tuple[Tensor, ...]", folder: Path) -> Step:
        """Return the model after a rung's passes. It may change settings of this process.

        Args:
            rung: the name of one of `rungs`.
            inputs: of one call.
            folder: what `prepare` wrote into.

        Raises:
            Unsupported: this build of the compiler does not have the rung.
        """

    def below(self, rung: str) -> list[str]:
        """Return the rungs that a rung builds on, the lowest first, and the rung itself."""
        known = {each.name: each for each in self.rungs}
        chain = [known[rung]]
        while chain[0].after:
            chain.insert(0, known[chain[0].after])
        return [each.name for each in chain]

    def with_below(self, rung: str) -> tuple[str, ...]:
        """Return the rung that a rung builds on, if any, and the rung itself."""
        return tuple(self.below(rung)[-2:])


def names() -> list[str]:
    """Return the names of all ladders."""
    return module_names(LADDERS)


def load(name: str) -> Ladder:
    """Return a ladder.

    Raises:
        UserError: there is none of this name.
    """
    ladder: Ladder = only_object(LADDERS, name, "ladder")
    return ladder
