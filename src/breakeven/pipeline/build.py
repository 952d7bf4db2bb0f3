"""Making artifacts: export or quantize in this process, check and score each in a worker's."""

import contextlib
import functools
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from breakeven.artifacts import artifact, inference, saved_model
from breakeven.artifacts.artifact import LOGITS, Artifact, variant_name
from breakeven.artifacts.dataset import Images
from breakeven.artifacts.model_manifest import TextInput, read_card
from breakeven.artifacts.preprocess import Preprocess, predictor
from breakeven.config.schema import Study
from breakeven.core import cache, machine_lock, paths, plugin
from breakeven.core.cache import CacheKey
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.files import digests, read_json, source_digests
from breakeven.core.progress import ItemProgress, counted
from breakeven.core.source_digest import own
from breakeven.core.system_info import tuning_variables
from breakeven.engine.forkserver_client import WorkerFailed
from breakeven.engine.worker_pool import WorkerPool
from breakeven.plugins.hardware.base import THREADS
from breakeven.plugins.runtimes.base import ExportInput

BUILDING_S = 5.0  # an artifact that took so long to build is not built once more
PROFILED, PROFILED_S = 20, 5.0  # calls of each artifact, and seconds that they may take; three at least
# Classes of random weights are ties: what is not trained is held to its logits, in any precision
UNTRAINED_ERROR = 0.5
# The source that decides what an artifact is
MAKING = (
    *(
        "plugins/datasets/base",
        "plugins/hardware",
        "engine",
        "plugins/runtimes",
        "plugins/quantization",
        "artifacts/artifact",
        "artifacts/model_manifest",
        "artifacts/precision",
    ),
    *(
        "artifacts/operators",
        "pipeline/build",
        "artifacts/saved_model",
        "artifacts/dataset",
        "artifacts/preprocess",
        "artifacts/torch_export",
        "artifacts/inference",
        "artifacts/onnx_strip",
    ),
)
CODE = source_digests(*MAKING)  # what is edited from here on is not what runs


@dataclass(frozen=True)
class Tolerance:
    """How far an artifact may be from eager."""

    relative_error: float  # floating point
    agreement: float  # quantized


class Reference:
    """A model, and its logits in eager mode, which every artifact of it is held against.

    Its card may say that there is no such model, so it is loaded when it is first asked for.
    """

    def __init__(self, folder: Path, test: Images, preprocessing: str) -> None:
        self.card = read_card(folder)
        self.preprocessing = preprocessing if self.card.mean else "outside"  # tokens are taken as they are
        self._folder, self._images = folder, test.images

    @cached_property
    def _model(self) -> torch.nn.Module:
        return saved_model.load(self._folder)[0]

    @cached_property
    def source(self) -> ExportInput:
        """What is exported."""
        model = self._model
        if self.preprocessing == "inside":
            model = torch.nn.Sequential(Preprocess(self.card.mean, self.card.std), model).eval()
        inputs = artifact.model_inputs(self._images[:2], self.preprocessing, self.card.mean, self.card.std)
        return ExportInput(model, torch.from_numpy(inputs), self._folder, self.preprocessing)

    @cached_property
    def logits(self) -> NDArray[np.float32]:
        """(N, classes), of the whole test set."""
        predict = predictor(self._model, self.card.mean, self.card.std)
        return inference.predict_in_batches(predict, self._images)

    def small(self) -> ExportInput:
        """A network of three layers in the place of the model."""
        shape = self.card.shape
        first: torch.nn.Module = (
            torch.nn.Embedding(shape.vocabulary, 8)
            if isinstance(shape, TextInput)
            else torch.nn.Conv2d(shape.channels, 8, 3)
        )
        network = torch.nn.Sequential(first, torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.LazyLinear(2))
        network(shape.example())  # which gives the last layer its size
        if self.source.preprocessing == "inside":
            network = torch.nn.Sequential(Preprocess(self.card.mean, self.card.std), network)
        return replace(self.source, model=network.eval())


class ArtifactBuilder:
    """Makes the artifacts of a family; each is checked in a process of its own, and dies alone."""

    def __init__(
        self,
        test: Images,
        tolerance: Tolerance,
        nursery: Callable[[str], WorkerPool],
        scratch: Path,
        count: ItemProgress,
        builds: int,
    ) -> None:
        """`nursery` gives the one of a hardware, by its name; `count` tells how many are obtained."""
        self.test, self.tolerance, self.nursery, self.count = test, tolerance, nursery, count
        self.builds = builds
        self.images = scratch / "test.npy"
        self.out = scratch / "logits.npy"
        np.save(self.images, test.images)
        self.warm: set[tuple[str, str]] = set()

    def obtain(
        self,
        folder: Path,
        draft: Artifact,
        write: Callable[[ExportInput, Path], None],
        reference: Reference,
        key: CacheKey,
    ) -> Artifact:
        """Take the artifact from the store to a place below `folder`, or make it and keep it there.

        What failed is tried again the next time; what is unsupported by these versions, or was refused for
        what it tells, stays so.
        """
        draft = replace(draft, key=key.digest)
        where = folder / draft.folder
        title = f"{draft.family} {draft.variant}"
        with cache.exclusive(key, title):
            if found := cache.restore(key, where):
                done = replace(
                    artifact.read(where),
                    family=draft.family,
                    recipe=draft.recipe,
                    runtime=draft.runtime,
                    quantization=draft.quantization,
                )
                artifact.save(where, done)
            else:
                with machine_lock.shared():
                    self.count.begin(draft.variant)
                    done = self.make(folder, draft, write, reference)
                # A large model is exported again sooner than kept.
                if (done.status != "failed" or done.refused) and done.trained:
                    cache.save(key, title, where)
        self.count.end(made=not found)
        print(f"  {done.variant:44} {_describe(done)}", flush=True)
        return done

    def make(
        self, folder: Path, draft: Artifact, write: Callable[[ExportInput, Path], None], reference: Reference
    ) -> Artifact:
        """Write one artifact below `folder` with `write`, check it, score it, and note the result."""
        where = folder / draft.folder
        where.mkdir(parents=True)
        try:
            source = reference.source  # whose loading is no part of a build
            self._warm_up(draft, write, reference)
            draft = replace(draft, **self._build(source, where, write))
            done = self._check(where, artifact.seal(where, draft), reference)
        except Unsupported as error:
            done = replace(draft, status="unsupported", reason=str(error))
        except WorkerFailed as error:
            done = replace(draft, status="failed", reason=str(error))
        except (OSError, MemoryError, UserError):  # of this machine, today, or of a damaged model: no result
            raise
        except Exception as error:  # of a toolchain, on a model that it was never tried on: costs this row
            traceback.print_exc()
            lines = str(error).strip().splitlines()
            reason = f"{type(error).__name__}: {lines[0][:300] if lines else ''}"
            done = replace(draft, status="failed", reason=reason)
        if done.status != "ok":  # nothing downstream can pick up what failed
            shutil.rmtree(where)
            where.mkdir()
        artifact.save(where, done)
        return done

    def _build(
        self, source: ExportInput, where: Path, write: Callable[[ExportInput, Path], None]
    ) -> dict[str, Any]:
        """Write the artifact, and again to nowhere, as often as is asked for and affordable; the seconds."""
        took: list[float] = []
        while len(took) < self.builds and sum(took) < BUILDING_S:
            with TemporaryDirectory() as scratch:
                started = time.perf_counter()
                write(source, Path(scratch) if took else where)
                took.append(time.perf_counter() - started)
        return {"build_s": float(np.median(took)), "build_s_low": min(took), "build_s_high": max(took)}

    def _warm_up(
        self, draft: Artifact, write: Callable[[ExportInput, Path], None], reference: Reference
    ) -> None:
        """Make something small once, so that no variant's build time holds the imports of the toolchain."""
        if (name := (draft.runtime, draft.quantization)) not in self.warm:
            self.warm.add(name)
            with TemporaryDirectory() as scratch, contextlib.suppress(Exception):  # the real one will tell
                write(reference.small(), Path(scratch))

    def _check(self, where: Path, draft: Artifact, reference: Reference) -> Artifact:
        logits, seen = self._predict(where, draft)
        labels, expected = self.test.labels, reference.logits
        classes = expected.shape[1]
        if not (largest := float(np.abs(expected).max())):
            reason = "eager's logits are all zero: its last layer is untrained, or died in training"
            return _refused(draft, reason)
        error = float(np.abs(logits - expected).max())
        relative = error / largest
        agreement = float((logits.argmax(1) == expected.argmax(1)).mean())
        done = replace(
            draft,
            max_abs_error=error,
            relative_error=relative,
            agreement=agreement,
            accuracy=inference.accuracy(logits, labels) if draft.trained else None,
            accuracy_top5=inference.accuracy(logits, labels, top=5)
            if draft.trained and classes > 5
            else None,
            **seen,
        )
        allowed, asked = self.tolerance.relative_error, self.tolerance.agreement
        if draft.precision == "fp32" and not relative <= allowed:
            reason = f"its logits differ from eager's by {relative:.2g} of the largest, allowed {allowed:g}"
            return _refused(done, reason)
        if not draft.trained and not relative <= UNTRAINED_ERROR:
            reason = f"its logits differ from eager's by {relative:.2g} of the largest"
            return _refused(done, reason)
        if draft.trained and draft.precision != "fp32" and not agreement >= asked:
            reason = f"gives eager's class for {agreement:.1%} of the test images, {asked:.0%} asked"
            return _refused(done, reason)
        np.save(where / LOGITS, logits)
        return done

    def _predict(self, where: Path, draft: Artifact) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Its logits, and what it executes."""
        artifact.save(where, draft)
        runtime = plugin.load("runtimes", draft.settings, f"runtimes.{draft.runtime}")
        with self.nursery(runtime.scored_on).worker(where) as worker:
            worker.ask("load", images=str(self.images), batch_size=1, compare=False)
            started = time.perf_counter()
            worker.ask("predict", images=str(self.images), out=str(self.out))
            affordable = PROFILED_S * len(self.test.images) / (time.perf_counter() - started)
            calls = max(3, min(PROFILED, int(affordable)))
            try:
                seen = worker.ask("profile", images=str(self.images), calls=calls)
            except (Unsupported, WorkerFailed) as error:  # which says nothing of the artifact itself
                seen = {"kernels_reason": str(error)}
        logits: NDArray[np.float32] = np.load(self.out)
        if not np.isfinite(logits).all():
            raise WorkerFailed("its logits are not finite")
        return logits, seen


@contextmanager
def maker(
    test: Images,
    tolerance: Tolerance,
    timeout_s: float,
    title: str = "artifacts",
    total: int = 0,
    builds: int = 1,
) -> Iterator[ArtifactBuilder]:
    """A `ArtifactBuilder` whose processes and scratch files end with the block.

    Args:
        title: what the progress is called.
        total: how many it will be asked for.
        builds: of each.
    """
    with ExitStack() as stack:

        @functools.cache
        def nursery(hardware: str) -> WorkerPool:
            settings = {"name": hardware, "threads": torch.get_num_threads()}
            # To compile for the size of a batch, and to score all, takes longer than anything that is timed.
            return stack.enter_context(WorkerPool(settings, 5 * timeout_s))

        scratch = Path(stack.enter_context(TemporaryDirectory()))
        count = stack.enter_context(counted(title, total))
        yield ArtifactBuilder(test, tolerance, nursery, scratch, count, builds)


def wanted(study: Study, options: Mapping[str, tuple[str, str]]) -> dict[str, list[str]]:
    """Recipe -> the keys of the options that are wanted of it.

    Args:
        options: key -> the precision that it makes, and its runtime's key.
    """
    return {
        recipe: [
            key
            for key, (precision, runtime) in options.items()
            if study.export.wants(variant_name(recipe, precision, runtime))
        ]
        for recipe in ["none", *study.recipes()]
    }


def draft(study: Study, reference: Reference, runtime: str) -> Artifact:
    """The card of an artifact that is still to be made."""
    card = reference.card
    return Artifact(
        family=card.family,
        recipe=card.recipe,
        precision=study.option("runtimes", runtime).precision,
        quantization="",
        runtime=runtime,
        settings=study.runtimes[runtime],
        preprocessing=reference.preprocessing,
        mean=card.mean,
        std=card.std,
        parameters=card.parameters,
        macs=card.macs,
        activations=card.activations,
        train_s=0.0 if card.recipe == "none" else card.train_s,
        trained=card.test_accuracy is not None,
    )


def key_of(study: Study, reference: Reference, draft: Artifact, more: Mapping[str, Any]) -> CacheKey:
    """Of all that an artifact is made from.

    Args:
        more: settings, and digests of data, besides those of the runtime and of the checks.
    """
    return CacheKey(
        "artifact",
        {
            "model": [reference.card.key, reference.card.sha256, reference.card.reason],
            "settings": {"runtime": draft.settings, "precision": draft.precision, **more},
            "checks": study.export.model_dump(exclude={"only"}),
            "machine": read_json(paths.MACHINE),
            "programs": digests(paths.PROGRAMS),
            "environment": tuning_variables(THREADS),
            "own": own([draft.settings, more]),
            "code": CODE,
        },
    )


def tolerance(study: Study) -> Tolerance:
    """What artifacts are held to."""
    settings = study.export
    return Tolerance(settings.max_relative_error, settings.min_agreement)


def _refused(made: Artifact, reason: str) -> Artifact:
    return replace(made, status="failed", refused=True, reason=reason)


def _describe(made: Artifact) -> str:
    if made.status != "ok":
        return f"{made.status}: {made.reason}"
    score = "untrained" if made.accuracy is None else f"accuracy {made.accuracy:.2%}"
    return f"{score}, agreement {made.agreement:.2%}, {made.megabytes:.2f} MB"
