"""The check of an artifact: a separate process runs it, and its outputs are compared with eager's."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact, disk_array, inference, records
from breakeven.artifacts.artifact import LOGITS, Artifact
from breakeven.artifacts.dataset import Images
from breakeven.artifacts.model_manifest import read_card
from breakeven.artifacts.probe_samples import probe_samples
from breakeven.artifacts.varying import VaryingDimension, dimensions_of, extremes, resize, words
from breakeven.config.schema import Study
from breakeven.core import plugin
from breakeven.core.errors import Failed, Unsupported
from breakeven.engine.forkserver_client import WorkerFailed, WorkerRaised
from breakeven.engine.samples import WRONG
from breakeven.engine.target import artifact_modules
from breakeven.engine.worker_pool import WorkerPool
from breakeven.plugins.runtimes.base import ExportInput

PROFILED_CALLS, PROFILED_S = 20, 5.0  # at most, of each artifact; at least three calls
NOTED = 8  # test images in which denormal activations are looked for
# With random weights, the classes are almost ties and their agreement means nothing. Other models give
# numbers, and no classes. The outputs of both are therefore compared in every precision.
UNDECIDED_RELATIVE_ERROR = 0.5
PROBED = 4  # test samples that are given changed
RESIZED = 16  # test images that are given in every extreme size


@dataclass(frozen=True)
class Tolerance:
    """The limits on an artifact's difference from eager mode."""

    relative_error: float  # at most, for artifacts in floating point
    agreement: float  # at least, for quantized artifacts

    @classmethod
    def of(cls, study: Study) -> "Tolerance":
        """Return the study's own limits."""
        return cls(study.export.max_relative_error, study.export.min_agreement)


class Reference:
    """A model with its outputs in eager mode, against which all its artifacts are checked.

    The manifest may say that there is no such model, so the weights are loaded at their first use. The model
    that is exported is another one than the model that is scored: calls may change a model.
    """

    def __init__(self, folder: Path, test: Images, preprocessing: str) -> None:
        self.card = read_card(folder)
        self.preprocessing = preprocessing if self.card.mean else "outside"  # tokens need none
        self.folder, self._images, self.varying = folder, test.images, dimensions_of(self.card)
        self.resized: dict[str, NDArray[np.float32]] = {}  # sizes, in words -> eager's logits
        self.probed: dict[str, NDArray[np.float32]] = {}  # a change of the inputs -> eager's logits
        self.fault: Exception | None = None  # why eager's logits cannot be computed

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs to export the model: of the images only a few."""
        return {
            "card": self.card,
            "preprocessing": self.preprocessing,
            "folder": self.folder,
            "_images": self._images[:NOTED],
            "varying": self.varying,
        }

    @cached_property
    def source(self) -> ExportInput:
        """Return the model as runtimes and toolchains export it."""
        import torch

        from breakeven.artifacts import saved_model
        from breakeven.artifacts.preprocess import Preprocess
        from breakeven.artifacts.tensors import to_tensors

        with torch.no_grad():  # weights that a constructor computes from others would hold their history
            model = saved_model.load(self.folder)[0]
        if self.preprocessing == "inside":
            dimensions = 1 + len(self.card.shape.sample)
            model = torch.nn.Sequential(Preprocess(self.card.mean, self.card.std, dimensions), model).eval()
        inputs = artifact.model_inputs(self._images[:2], self.preprocessing, self.card.mean, self.card.std)
        return ExportInput(
            model,
            to_tensors(inputs),
            self.folder,
            self.preprocessing,
            varying=self.varying,
            input_names=tuple(self.card.input_names),
        )

    @cached_property
    def notes(self) -> list[str]:
        """Return what a reader of the figures of all its artifacts has to know."""
        from breakeven.artifacts import saved_model
        from breakeven.artifacts.denormal import denormal_note
        from breakeven.artifacts.tensors import to_tensors

        inputs = artifact.model_inputs(self._images[:NOTED], "outside", self.card.mean, self.card.std)
        model = saved_model.load(self.folder)[0]  # another one than the model that is exported
        return [*filter(None, [denormal_note(model, to_tensors(inputs))])]

    @cached_property
    def logits(self) -> NDArray[np.float32]:
        """Return eager's logits on the whole test set, (N, ...)."""
        return eager_logits(self.folder, self._images)


def eager_resized(folder: Path, files: Sequence[Path]) -> list[NDArray[np.float32]]:
    """Return the outputs of the model in `folder` in eager mode for each file of inputs."""
    return [eager_logits(folder, file) for file in files]


def eager_probed(folder: Path, files: Mapping[str, Path]) -> dict[str, NDArray[np.float32]]:
    """Return the outputs in eager mode for each file of changed inputs.

    Inputs that the model refuses, or gives no finite numbers for, say nothing about an artifact.
    """
    found = {}
    for words_of_change, file in files.items():
        try:
            outputs = eager_logits(folder, file)
        except Exception:
            continue
        if records.is_finite(outputs):
            found[words_of_change] = outputs
    return found


def eager_logits(folder: Path, images: NDArray[Any] | Path) -> NDArray[np.float32]:
    """Return the logits of the model in `folder`, (N, ...), computed in eager mode.

    Args:
        folder: the folder of the model.
        images: (N, C, H, W) uint8, or tokens (N, L); or a file with them.
    """
    from breakeven.artifacts import saved_model
    from breakeven.artifacts.preprocess import predictor

    model, card = saved_model.load(folder)
    predict = predictor(model, card.mean, card.std)
    inputs = disk_array.load(images) if isinstance(images, Path) else images
    return inference.predict_in_batches(predict, inputs)


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
        if reason := _not_comparable(logits, expected, number):
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
        reasons = [_objection(scored, self.tolerance)]
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
        if reason := _other_shapes(outputs, expected):
            return reason
        task = plugin.load("tasks", scored.task, f"families.{scored.family}.task")
        agreement = task.agreement(records.leading(outputs, number), records.leading(expected, number))
        error, relative = records.errors(outputs, expected)
        there = replace(scored, max_abs_error=error, relative_error=relative, agreement=agreement)
        return _objection(there, self.tolerance)

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
                raise Unsupported(f"{runtime.library} cannot {doing}: {_last_line(error)}") from None
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


def _last_line(error: Exception) -> str:
    """Return what an error says; of a traceback, which TorchScript puts into its messages, the last line."""
    said = str(error)
    return said if "Traceback" not in said else f"{said.strip().splitlines()[-1].strip()}"


def _not_comparable(logits: NDArray[Any], expected: NDArray[Any], scored: int) -> str:
    """Return why outputs cannot be compared with eager's; empty if they can."""
    if reason := _other_shapes(logits, expected):
        return reason
    if records.is_finite(records.leading(logits, scored)):
        return ""
    return "its outputs are not finite, eager's are"


def _other_shapes(logits: NDArray[Any], expected: NDArray[Any]) -> str:
    """Return in words that outputs have other shapes than eager's; empty if they have the same."""
    shapes = [[array.shape for array in records.fields_of(outputs)] for outputs in (logits, expected)]
    if shapes[0] == shapes[1]:
        return ""
    given, asked = (" and ".join(map(str, each)) for each in shapes)
    return f"its outputs have the shape {given}, eager's {asked}"


def _objection(scored: Artifact, tolerance: Tolerance) -> str:
    """Return why an artifact is too far from eager; empty if it is not."""
    relative, agreement = scored.relative_error, scored.agreement
    assert relative is not None
    allowed, required = tolerance.relative_error, tolerance.agreement
    if scored.precision == "fp32" and not relative <= allowed:
        return f"its outputs differ from eager's by {relative:.2g} of the largest, allowed {allowed:g}"
    undecided = agreement is None or not scored.trained
    if undecided and not relative <= UNDECIDED_RELATIVE_ERROR:
        return f"its outputs differ from eager's by {relative:.2g} of the largest"
    if not undecided and scored.precision != "fp32" and not (agreement or 0.0) >= required:
        return f"agrees with eager in {agreement:.1%} of its decisions, {required:.0%} asked"
    return ""
