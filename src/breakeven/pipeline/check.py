"""The check of an artifact: a separate process runs it, and its outputs are compared with eager's."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact, records
from breakeven.artifacts.artifact import LOGITS, Artifact
from breakeven.artifacts.dataset import Images
from breakeven.artifacts.probe_samples import probe_samples
from breakeven.artifacts.varying import VaryingDimension, extremes, resize, words
from breakeven.core import plugin
from breakeven.core.errors import Failed, Unsupported
from breakeven.core.toolchain_errors import telling_line
from breakeven.engine.forkserver_client import WorkerFailed, WorkerRaised
from breakeven.engine.samples import WRONG
from breakeven.engine.target import artifact_modules
from breakeven.engine.worker_pool import WorkerPool
from breakeven.pipeline.eager_reference import Reference
from breakeven.pipeline.objections import Tolerance, not_comparable, objection_to, other_shapes

PROFILED_CALLS, PROFILED_S = 20, 5.0  # at most, of each artifact; at least three calls
PROBED = 4  # test samples that are given changed
RESIZED = 16  # test images that are given in every extreme size


class ArtifactChecker:
    """A checker that runs artifacts on the test set in worker processes and compares them with references."""

    def __init__(
        self,
        test: Images,
        tolerance: Tolerance,
        worker_pool: Callable[[str], WorkerPool],
        scratch: Path,
    ) -> None:
        """Write the test set where workers read it.

        Args:
            worker_pool: returns the pool of a hardware, by its name.
            scratch: a folder for files that workers exchange with this process.
        """
        self.test, self.tolerance, self.worker_pool = test, tolerance, worker_pool
        self.images = scratch / "test.npy"
        self.out = scratch / "logits.npy"
        np.save(self.images, test.images)
        self._resized: dict[str, Path] = {}
        self.probes = {}
        for number, (change, samples) in enumerate(probe_samples(test.images[:PROBED]).items()):
            self.probes[change] = scratch / f"probe.{number}.npy"
            np.save(self.probes[change], samples)

    def resized(self, varying: Sequence[VaryingDimension]) -> dict[str, Path]:
        """Return files with a few test images in every extreme size, by the words for the size."""
        for sizes in extremes(varying):
            if words(sizes) not in self._resized:
                path = self.images.with_name(f"test.{len(self._resized)}.npy")
                np.save(path, resize(self.test.images[:RESIZED], varying, sizes))
                self._resized[words(sizes)] = path
        return {words(sizes): self._resized[words(sizes)] for sizes in extremes(varying)}

    def preload(self, draft: Artifact, reference: Reference) -> WorkerPool:
        """Let a pool import what the artifact's worker will need, while the caller goes on."""
        runtime = plugin.load("runtimes", draft.settings, f"runtimes.{draft.runtime}")
        pool = self.worker_pool(runtime.scored_on)
        pool.server(artifact_modules(runtime, reference.folder))
        return pool

    def check(self, where: Path, draft: Artifact, reference: Reference) -> Artifact:
        """Return the artifact with its scores; it is `wrong` if it is too far from its reference.

        Raises:
            Unsupported: the runtime cannot run it.
            Failed: the process that ran it died, hung or answered with an error, or eager's own logits cannot
                be compared with anything.
        """
        expected = reference.logits
        number = reference.card.number_scored
        if not records.is_finite(records.leading(expected, number)):
            raise Failed("eager's outputs are not finite: the model's weights or its inputs are not")
        if not np.any(records.fields_of(expected)[0]):
            raise Failed("eager's outputs are all zero: its last layer is untrained, or died in training")
        logits, elsewhere, executed = self.predict(where, draft, reference)
        if reason := not_comparable(logits, expected, number):
            return replace(draft, status=WRONG, reason=reason)
        chosen = records.leading(logits, number)
        task = plugin.load("tasks", draft.task, f"families.{draft.family}.task")
        if draft.trained:
            score = float(task.scores(chosen, self.test.labels).mean())
            further = task.further_scores(chosen, self.test.labels)
            draft = replace(draft, score=score, further_scores=further)
        error, relative = records.errors(logits, expected)
        scored = replace(
            draft,
            max_abs_error=error,
            relative_error=relative,
            agreement=task.agreement(chosen, records.leading(expected, number)),
            **executed,
        )
        reasons = [objection_to(scored, self.tolerance)]
        for inputs, outputs in elsewhere.items():
            wanted = {**reference.probed, **reference.resized}[inputs]
            objection = self._objection_at(scored, outputs, wanted, number)
            reasons.append(objection and f"with {inputs}, {objection}")
        if reason := next(filter(None, reasons), ""):
            return replace(scored, status=WRONG, reason=reason)
        np.save(where / LOGITS, chosen)
        return scored

    def _objection_at(
        self, scored: Artifact, outputs: NDArray[Any], expected: NDArray[Any], number: int
    ) -> str:
        """Return why an artifact is too far from eager for other inputs; empty if it is not."""
        if reason := other_shapes(outputs, expected):
            return reason
        task = plugin.load("tasks", scored.task, f"families.{scored.family}.task")
        agreement = task.agreement(records.leading(outputs, number), records.leading(expected, number))
        error, relative = records.errors(outputs, expected)
        there = replace(scored, max_abs_error=error, relative_error=relative, agreement=agreement)
        return objection_to(there, self.tolerance)

    def predict(
        self, where: Path, draft: Artifact, reference: Reference
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]], dict[str, Any]]:
        """Return the artifact's logits, those for other sizes and inputs, and facts about how it executes."""
        artifact.save(where, draft)
        runtime = plugin.load("runtimes", draft.settings, f"runtimes.{draft.runtime}")
        doing = "run it"
        with self.worker_pool(runtime.scored_on).worker(where) as worker:
            try:
                worker.ask("load", images=str(self.images), batch_size=1, compare=False)
                started = time.perf_counter()
                worker.ask("predict", images=str(self.images), out=str(self.out))
                seconds = time.perf_counter() - started
                logits: NDArray[np.float32] = np.load(self.out)
                elsewhere = {}
                for inputs, file in self._others(draft, reference).items():
                    doing = f"take {inputs}"
                    worker.ask("predict", images=str(file), out=str(self.out), most=RESIZED)
                    elsewhere[inputs] = np.load(self.out)
            except WorkerRaised as error:  # the same artifact would raise it again
                if not runtime.library:
                    raise
                raise Unsupported(f"{runtime.library} cannot {doing}: {telling_line(str(error))}") from None
            affordable = PROFILED_S * len(self.test.images) / seconds
            calls = max(3, min(PROFILED_CALLS, int(affordable)))
            try:
                executed = worker.ask("profile", images=str(self.images), calls=calls)
            except (Unsupported, WorkerFailed) as error:  # says nothing about the artifact itself
                executed = {"kernels_reason": str(error)}
        if reference.varying:
            said = f"{', '.join(map(str, reference.varying))}, checked at both ends: {runtime.sizes}"
            executed["facts"] = {**executed.get("facts", {}), "sizes of inputs": said}
        return logits, elsewhere, executed

    def _others(self, draft: Artifact, reference: Reference) -> dict[str, Path]:
        """Return files of inputs besides the test set, by words for them.

        Only in fp32 do inputs that nobody calibrated for have to give what eager gives.
        """
        others = self.resized(reference.varying)
        if draft.precision == "fp32":
            others |= {change: self.probes[change] for change in reference.probed}
        return others
