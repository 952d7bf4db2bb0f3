"""A loader for exported artifacts in a worker, which can also score and profile them."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact, operators, records
from breakeven.artifacts.inference import Logits, predict_in_batches, safe_batch_size
from breakeven.core import plugin
from breakeven.core.errors import Unsupported, UserError, WrongOutput
from breakeven.plugins.hardware.base import Hardware
from breakeven.plugins.runtimes.base import ExecutionContext, Session

# The largest accepted error, as a share of the largest logit. Kernels add numbers in an order that depends on
# the device and the number of threads, so small errors are normal. Real mistakes cause far larger ones.
SAME_OUTPUT = 0.05


class ArtifactLoader:
    """The loader of the artifact in one folder, with its runtime."""

    session: Session

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.batch: NDArray[Any] | None = None  # of the next calls; None before any inputs are read

    def start(self, hardware: Hardware, affinity: dict[str, Any], cache: str) -> Sequence[str]:
        """Check the files, start the runtime, and return the command of a program that replaces this process.

        The command is empty if Python itself executes the artifact.

        Args:
            affinity: how the hardware pinned this process.
            cache: a folder for files that the runtime compiles.
        """
        self.card = artifact.read(self.folder)
        artifact.verify(self.folder, self.card.files)
        self.runtime = plugin.load("runtimes", self.card.settings, f"runtimes.{self.card.runtime}")
        os.environ |= dict.fromkeys(self.runtime.caches, cache)
        self.context = ExecutionContext(hardware.device, hardware.threads)
        self.runtime.start(self.folder, self.context)
        program: list[str] = self.runtime.command(self.folder, self.context, affinity)
        return program

    def read_inputs(self, images: str, batch_size: int, callers: int) -> None:
        """Read the first `batch_size` images of a file; this happens before the timed load.

        Args:
            callers: threads that will share the session.
        """
        self.images = np.load(images, mmap_mode="r")
        self.begin, self.size = 0, batch_size
        self.batch = self._inputs()
        self.context = replace(self.context, batch=batch_size, callers=callers)

    def load(self) -> Any:
        """Load the artifact, and return the callable to time."""
        self.session = self.runtime.load(self.folder, self.context, self.card.preprocessing)
        return self.session.run

    def arguments(self, first: int = 0) -> tuple[Any, ...]:
        """Return the arguments of each timed call.

        Args:
            first: the number of the first image in the file.

        Raises:
            UserError: the artifact computes with other threads than the hardware allows.
        """
        if first != self.begin:
            self.begin = first
            self.batch = None  # so that memory does not hold both
            self.batch = self._inputs()
        self._require_threads()
        assert self.batch is not None
        return (self.session.prepare(self.batch),)

    def _inputs(self) -> NDArray[Any]:
        return np.ascontiguousarray(self.card.inputs(self._chosen))

    @property
    def _chosen(self) -> NDArray[Any]:
        """Return the images of the timed calls."""
        chosen: NDArray[Any] = self.images[self.begin : self.begin + self.size]
        return chosen

    def finish(self) -> None:
        """Check that the timed calls left alone what they were timed with.

        Raises:
            UserError: they wrote into their inputs, which may no longer be finite, or changed their threads.
        """
        if self.batch is None:
            return
        if self.batch.tobytes() != self._inputs().tobytes():
            raise UserError("it writes into its inputs, so that its calls were not timed on the test images")
        self._require_threads()

    def _require_threads(self) -> None:
        """Raise a `UserError` if the library computes with other threads than the hardware allows."""
        threads = self.session.threads() if self.session.threads else self.context.threads
        if threads != self.context.threads:
            raise UserError(
                f"it computes with {threads} threads, and the hardware has threads={self.context.threads}"
            )

    def keep_output(self, output: Any) -> None:
        """Compare the first output with the logits that the artifact was scored with.

        Raises:
            WrongOutput: they differ by more than `SAME_OUTPUT` of the largest logit.
        """
        size = len(self._chosen)
        logits = (
            self._logits(self._chosen) if self.card.scored_by(size) < size else self.session.result(output)
        )
        scored = np.load(self.folder / artifact.LOGITS, mmap_mode="r")
        scored = scored[np.arange(len(logits)) % len(scored)]
        error = records.errors(logits, scored)[1]  # of those that the file holds: the scored ones come first
        if not error <= SAME_OUTPUT:
            raise WrongOutput(
                f"its outputs are off by {error:.2g} of the largest from those that it was scored with"
            )

    def predict(self, images: str, out: str, most: int = 0) -> dict[str, Any]:
        """Write the logits of all images in the file `images` to the file `out`; return their count.

        Args:
            most: how many images to predict at once, at most; 0: as many as scoring does.
        """
        logits = self._logits(np.load(images, mmap_mode="r"), most)
        np.save(out, logits)
        return {"count": len(logits)}

    def _logits(self, images: NDArray[np.uint8], most: int = 0) -> Logits:
        """Return the logits of all images, computed in the batch size that scoring uses, or less at once."""
        usual = self.runtime.batch
        size = self.card.scored_by(safe_batch_size(images, min(most or usual, usual)))

        def predict(batch: NDArray[np.uint8]) -> Logits:
            # The last part becomes a full batch, because some runtimes compile anew for each size.
            whole = batch[np.arange(size) % len(batch)]
            return self.session.logits(self.card.inputs(whole))[: len(batch)]

        return predict_in_batches(predict, images, size)

    def profile(self, images: str, calls: int) -> dict[str, Any]:
        """Return the time of each operator on the first image of a file, and facts about the execution.

        A runtime without a profiler gives the reason instead of the times.
        """
        inputs = self.card.inputs(np.ascontiguousarray(np.load(images, mmap_mode="r")[:1]))
        self.session.run(self.session.prepare(inputs))  # the first call with a new shape may take longer
        facts = {"facts": self.runtime.execution_details(self.folder, self.context)}
        try:
            told = self.runtime.profile(self.folder, self.context, self.session, inputs, calls)
        except Unsupported as error:
            return {**facts, "kernels_reason": str(error)}
        return {**facts, "kernels": [*map(operators.as_values, operators.merge(told.operators))]}
