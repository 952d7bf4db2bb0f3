"""The builder of artifacts: it exports or quantizes them in this process, or restores them from the cache."""

import contextlib
import functools
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from breakeven.artifacts import artifact
from breakeven.artifacts.artifact import Artifact
from breakeven.artifacts.dataset import Images
from breakeven.core import cache, machine_lock
from breakeven.core.cache import CacheKey
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.progress import ItemProgress, counted
from breakeven.engine.forkserver_client import WorkerFailed
from breakeven.engine.worker_pool import WorkerPool
from breakeven.pipeline.check import ArtifactChecker, Reference, Tolerance
from breakeven.plugins.runtimes.base import ExportInput

REBUILD_LIMIT_S = 5.0  # after this time, an artifact is not built again for its interval


class ArtifactBuilder:
    """A builder of a family's artifacts. A separate process checks each artifact, because it may crash."""

    def __init__(self, checker: ArtifactChecker, progress: ItemProgress, builds: int) -> None:
        """Build each artifact `builds` times, for an interval of its build time."""
        self.checker, self.progress, self.builds = checker, progress, builds
        self.warm: set[tuple[str, str]] = set()

    def obtain(
        self,
        folder: Path,
        draft: Artifact,
        write: Callable[[ExportInput, Path], None],
        reference: Reference,
        key: CacheKey,
    ) -> Artifact:
        """Restore the artifact from the cache below `folder`, or build it and save it there.

        An artifact that failed is not saved, so that the next run tries again. One that these versions do
        not support, or that the checks refused, is saved.
        """
        draft = replace(draft, key=key.digest)
        where = folder / draft.folder
        title = f"{draft.family} {draft.variant}"
        with cache.exclusive(key, title):
            if restored := cache.restore(key, where):
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
                    self.progress.begin(draft.variant)
                    done = self.make(folder, draft, write, reference)
                # The artifacts of an untrained model are not cached: exporting them again is faster.
                if (done.status != "failed" or done.refused) and done.trained:
                    cache.save(key, title, where)
        self.progress.end(is_new=not restored)
        print(f"  {done.variant:44} {_describe(done)}", flush=True)
        return done

    def make(
        self, folder: Path, draft: Artifact, write: Callable[[ExportInput, Path], None], reference: Reference
    ) -> Artifact:
        """Write one artifact below `folder` with `write`, check it, and save its manifest."""
        where = folder / draft.folder
        where.mkdir(parents=True)
        try:
            source = reference.source  # loads the model, which is no part of a build
            draft = replace(draft, notes=reference.notes)
            self._warm_up(draft, write, reference)
            draft = replace(draft, **self._build(source, where, write))
            done = self.checker.check(where, artifact.seal(where, draft), reference)
        except Unsupported as error:
            done = replace(draft, status="unsupported", reason=str(error))
        except WorkerFailed as error:
            done = replace(draft, status="failed", reason=str(error))
        except (OSError, MemoryError, UserError):  # the machine or a damaged model is at fault: no result
            raise
        except Exception as error:  # the toolchain is at fault: only this row fails
            traceback.print_exc()
            lines = str(error).strip().splitlines()
            reason = f"{type(error).__name__}: {lines[0][:300] if lines else ''}"
            done = replace(draft, status="failed", reason=reason)
        if done.status != "ok":  # so that nothing downstream can load a failed artifact
            shutil.rmtree(where)
            where.mkdir()
        artifact.save(where, done)
        return done

    def _build(
        self, source: ExportInput, where: Path, write: Callable[[ExportInput, Path], None]
    ) -> dict[str, Any]:
        """Write the artifact, write it again to scratch folders, and return the seconds of a build."""
        took: list[float] = []
        while len(took) < self.builds and sum(took) < REBUILD_LIMIT_S:
            with TemporaryDirectory() as scratch:
                started = time.perf_counter()
                write(source, Path(scratch) if took else where)
                took.append(time.perf_counter() - started)
        return {"build_s": float(np.median(took)), "build_s_low": min(took), "build_s_high": max(took)}

    def _warm_up(
        self, draft: Artifact, write: Callable[[ExportInput, Path], None], reference: Reference
    ) -> None:
        """Build a small network first, so that no build time contains the imports of the toolchain."""
        if (name := (draft.runtime, draft.quantization)) not in self.warm:
            self.warm.add(name)
            # The real build will report errors.
            with TemporaryDirectory() as scratch, contextlib.suppress(Exception):
                write(reference.small(), Path(scratch))


@contextmanager
def open_builder(
    test: Images,
    tolerance: Tolerance,
    timeout_s: float,
    title: str = "artifacts",
    total: int = 0,
    builds: int = 1,
) -> Iterator[ArtifactBuilder]:
    """Open an `ArtifactBuilder`; its processes and scratch files end with the block.

    Args:
        title: of the line that shows the progress.
        total: number of artifacts that will be obtained.
        builds: of each artifact.
    """
    with ExitStack() as stack:

        @functools.cache
        def worker_pool(hardware: str) -> WorkerPool:
            settings = {"name": hardware, "threads": torch.get_num_threads()}
            # Compiling for a batch and scoring the test set take longer than any call that is timed.
            return stack.enter_context(WorkerPool(settings, 5 * timeout_s))

        scratch = Path(stack.enter_context(TemporaryDirectory()))
        progress = stack.enter_context(counted(title, total))
        checker = ArtifactChecker(test, tolerance, worker_pool, scratch)
        yield ArtifactBuilder(checker, progress, builds)


def _describe(built: Artifact) -> str:
    if built.status != "ok":
        return f"{built.status}: {built.reason}"
    score = "untrained" if built.accuracy is None else f"accuracy {built.accuracy:.2%}"
    return f"{score}, agreement {built.agreement:.2%}, {built.megabytes:.2f} MB"
