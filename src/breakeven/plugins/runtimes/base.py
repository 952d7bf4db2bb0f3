"""The interface of a runtime: it writes a model into files, and loads the files as something to call."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from breakeven.artifacts.operators import Profiled
from breakeven.core.errors import Unsupported
from breakeven.core.plugin import Plugin

if TYPE_CHECKING:
    from torch import nn

    from breakeven.artifacts.tensors import Tensors
    from breakeven.artifacts.varying import VaryingDimension


@dataclass(frozen=True)
class ExportInput:
    """The model that a runtime exports."""

    model: "nn.Module"  # in evaluation mode; begins with the preprocessing where that is "inside"
    # Two real samples: (2, C, H, W) float32, uint8 if "inside"; texts (2, L) int64; or several tensors
    example: "Tensors"
    folder: Path  # the model's own files
    preprocessing: str  # "inside" or "outside"
    changed: bool = False  # whether a toolchain changed `model`, so that it is not what `folder` holds
    varying: "tuple[VaryingDimension, ...]" = ()  # besides the batch
    input_names: tuple[str, ...] = ()  # of several inputs


@dataclass(frozen=True)
class ExecutionContext:
    """The device that an artifact runs on, and how it will be called.

    A runtime may tune itself for the batch and the number of callers, since a deployment knows them.
    """

    device: str  # as torch names it: "cpu", "cuda:0"
    threads: int  # threads of the processor that one call may use
    batch: int | None = None  # inputs in a call; None where it is unknown
    callers: int = 1  # threads that call the session at the same time

    @property
    def kind(self) -> str:
        """Return the device without its number: "cpu", "cuda"."""
        return self.device.partition(":")[0]

    def require(self, kinds: Collection[str], what: str) -> None:
        """Refuse a device that is none of `kinds`.

        Args:
            what: the runtime or the part of it that needs such a device, as the message names it.

        Raises:
            Unsupported: the device is none of `kinds`.
        """
        if self.kind not in kinds:
            raise Unsupported(f"{what} runs on {' and '.join(kinds)} only, not on {self.kind}")


@dataclass(frozen=True)
class Session:
    """A loaded artifact. The engine times `run` only."""

    prepare: Callable[[NDArray[Any]], Any]  # samples -> the runtime's own input
    run: Callable[[Any], Any]  # the runtime's own input -> its own output
    result: Callable[[Any], NDArray[Any]]  # the runtime's own output -> (N, ...) float32, or records
    threads: Callable[[], int] | None = None  # how many threads a call uses; None: the library does not tell
    module: "nn.Module | None" = None  # whose Python code a call runs; None: no Python runs

    def logits(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Return the outputs for some samples, (N, ...)."""
        return self.result(self.run(self.prepare(np.ascontiguousarray(images))))


class Runtime(Plugin, ABC):
    """Settings of one way to execute a model.

    Attributes:
        precision: the floating-point precision of its computation.
        precisions: the values that `precision` may have.
        modules: the modules that it needs to execute an artifact.
        batch: inputs in a call while accuracy is computed.
        scored_on: the hardware on which accuracy is computed, a module of `plugins.hardware`.
        caches: names of environment variables; each names the folder in which the library keeps what it
            compiles.
        library: the library whose exceptions, while an artifact is scored, mean that it cannot execute the
            artifact; "" where they mean that something broke.
        exporter: the modules that `export` imports besides torch. Their import may start no thread.
        sizes: how it takes inputs whose sizes vary, for the reader of an artifact; "" where it does not.
    """

    precisions: ClassVar[tuple[str, ...]] = ("fp32",)
    modules: ClassVar[tuple[str, ...]]
    batch: ClassVar[int] = 250
    scored_on: ClassVar[str] = "cpu"
    caches: ClassVar[tuple[str, ...]] = ()
    library: ClassVar[str] = ""
    exporter: ClassVar[tuple[str, ...]] = ()
    sizes: ClassVar[str] = ""

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
            Unsupported: this runtime cannot export this model, or is not installed.
        """

    def imports(self, folder: Path) -> tuple[str, ...]:
        """Return the modules to import before a worker for the artifact in `folder` is forked.

        Workers with equal modules are forked from one process. It imports before any memory is counted.
        """
        return self.modules

    def ready(self) -> None:
        """Build what this machine needs to execute any artifact, before anything is measured.

        Raises:
            Unsupported: it cannot be built; `start` raises the same again.
        """

    @abstractmethod
    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Prepare the library for the artifact in `folder`; the memory used afterwards is the floor.

        All runtimes flush denormal numbers to zero, here or in `load`, since some cannot do otherwise.

        Raises:
            Unsupported: the library is not installed, or cannot use this device.
        """

    @abstractmethod
    def load(self, folder: Path, context: ExecutionContext, preprocessing: str) -> Session:
        """Load the artifact in `folder` onto the device of `context`.

        Args:
            preprocessing: "inside", where the artifact takes uint8 images, or "outside".
        """

    def command(self, folder: Path, context: ExecutionContext, affinity: dict[str, Any]) -> list[str]:
        """Return a program that speaks the workers' protocol, and its arguments; empty where Python does.

        Args:
            affinity: what the hardware's `pin` returned; the program puts it into its answer to `load`.
        """
        return []

    @property
    def has_program(self) -> bool:
        """Return whether a program executes its artifacts, so that Python has no session of them."""
        return type(self).command is not Runtime.command

    def profile(
        self, folder: Path, context: ExecutionContext, session: Session, images: NDArray[Any], calls: int
    ) -> Profiled:
        """Return the time of each operator, in milliseconds per call of the model.

        Args:
            session: the loaded artifact, for the runtimes that can look into a running one.
            images: the input of every call, (1, C, H, W) or (1, L).
            calls: how many times the model is called.

        Raises:
            Unsupported: this runtime does not report its operators.
        """
        raise Unsupported("it does not tell what it executes")

    def execution_details(self, folder: Path, context: ExecutionContext) -> dict[str, str]:
        """Return what else is known of how the artifact was executed: title -> text."""
        return {}
