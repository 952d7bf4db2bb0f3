"""What a runtime is: it turns a model into files, and files into something that can be called."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from breakeven.artifacts.operators import OperatorTime
from breakeven.core.errors import Unsupported
from breakeven.core.plugin import Plugin

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class ExportInput:
    """What is exported."""

    model: "nn.Module"  # in evaluation mode; with preprocessing, if that is to be inside
    example: "Tensor"  # a batch of two real inputs
    folder: Path  # the model's own files
    preprocessing: str  # "inside" or "outside"
    changed: bool = False  # by a toolchain: `model` is not what the files hold


@dataclass(frozen=True)
class ExecutionContext:
    """Where an artifact runs, and for whom.

    An engine may prepare for the batch and the callers that a deployment knows.
    """

    device: str  # as torch names it: "cpu", "cuda:0"
    threads: int  # of the processor
    batch: int | None = None  # inputs at once, where it is known
    callers: int = 1  # threads that share the session

    @property
    def kind(self) -> str:
        """The device without its number; a runtime looks up its own word for it."""
        return self.device.partition(":")[0]

    def require(self, kinds: Collection[str], what: str) -> None:
        """Refuse a device for which `what` has nothing.

        Raises:
            Unsupported: its kind is none of `kinds`.
        """
        if self.kind not in kinds:
            raise Unsupported(f"{what} runs on {' and '.join(kinds)} only, not on {self.kind}")


@dataclass(frozen=True)
class Session:
    """A loaded artifact. Only `run` is timed."""

    prepare: Callable[[NDArray[Any]], Any]  # (N, C, H, W) images -> the runtime's own input
    run: Callable[[Any], Any]
    result: Callable[[Any], NDArray[np.float32]]  # the runtime's own output -> (N, classes) logits

    def logits(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """All three: (N, C, H, W) images -> (N, classes) logits."""
        return self.result(self.run(self.prepare(np.ascontiguousarray(images))))


class Runtime(Plugin, ABC):
    """Settings of one way to execute a model.

    Attributes:
        precision: what a model in floating point is computed in.
        precisions: those that it has.
        modules: what it executes with.
        batch: images at once when an artifact is scored.
        scored_on: the hardware on which it is.
        caches: variables of the environment that name the folder in which it keeps what it compiles.
    """

    precisions: ClassVar[tuple[str, ...]] = ("fp32",)
    modules: ClassVar[tuple[str, ...]]
    batch: ClassVar[int] = 250
    scored_on: ClassVar[str] = "cpu"
    caches: ClassVar[tuple[str, ...]] = ()

    precision: Literal["fp32", "bf16"] = "fp32"

    @field_validator("precision")
    @classmethod
    def _has_it(cls, value: str) -> str:
        if value not in cls.precisions:
            raise ValueError(f"this runtime computes in {' or '.join(cls.precisions)} only")
        return value

    @abstractmethod
    def export(self, source: ExportInput, folder: Path) -> None:
        """Write the artifact's files into `folder`.

        Raises:
            Unsupported: this runtime cannot take this model, or is not installed.
        """

    def imports(self, folder: Path) -> tuple[str, ...]:
        """The modules to import before a worker's process for the artifact in `folder` is forked.

        Once for all that need the same, and before memory is counted.
        """
        return self.modules

    def ready(self) -> None:
        """Make what this machine needs to execute any artifact, before anything is measured.

        Raises:
            Unsupported: it cannot be made; `start` will say so again.
        """

    @abstractmethod
    def start(self, folder: Path, place: ExecutionContext) -> None:
        """Ready the library for the artifact in `folder`; the memory used then is the floor.

        Raises:
            Unsupported: it is not installed, or has nothing for this device.
        """

    @abstractmethod
    def load(self, folder: Path, place: ExecutionContext, preprocessing: str) -> Session:
        """Make the artifact in `folder` ready to run, on the device of `place`."""

    def command(self, folder: Path, place: ExecutionContext, affinity: dict[str, Any]) -> list[str]:
        """A program that speaks the workers' protocol, and its arguments; by default Python does.

        Args:
            affinity: what the hardware has done to pin the process, which the program has to give back.
        """
        return []

    def profile(
        self, folder: Path, place: ExecutionContext, session: Session, images: NDArray[Any], calls: int
    ) -> list[OperatorTime]:
        """What each operator takes, when the artifact in `folder` runs on `images` so many times.

        Args:
            session: the loaded artifact, for the runtimes that can look into a running one.

        Raises:
            Unsupported: this runtime does not tell.
        """
        raise Unsupported("it does not tell what it executes")

    def execution_details(self, folder: Path, place: ExecutionContext) -> dict[str, str]:
        """What else its process knows of how the artifact has executed: title -> text."""
        return {}
