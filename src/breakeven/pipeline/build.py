"""The builder of artifacts: it exports or quantizes each in a process of its own, or restores it."""

import functools
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from breakeven.artifacts import artifact
from breakeven.artifacts.artifact import Artifact
from breakeven.artifacts.dataset import Images
from breakeven.core import cache, machine_lock, plugin
from breakeven.core.cache import CacheKey
from breakeven.core.errors import Failed, Unsupported, UserError
from breakeven.core.files import temporary_folder, write_text
from breakeven.core.memory import limit_mb
from breakeven.core.progress import ItemProgress, counted
from breakeven.core.system_info import cores
from breakeven.engine.isolated import LONGER, CallFailed, IsolatedCalls
from breakeven.engine.samples import FAILED, OK, UNSUPPORTED
from breakeven.engine.worker_pool import WorkerPool
from breakeven.pipeline.build_row import MODULES, Write, build_row
from breakeven.pipeline.check import ArtifactChecker
from breakeven.pipeline.eager_reference import Reference, eager_logits, eager_probed, eager_resized
from breakeven.pipeline.objections import Tolerance

ERROR = "error.txt"  # all that a build has printed that failed, in the artifact's folder


class ArtifactBuilder:
    """A builder of a family's artifacts. Separate processes build and check each, because they may crash."""

    def __init__(
        self, checker: ArtifactChecker, calls: IsolatedCalls, progress: ItemProgress, builds: int
    ) -> None:
        """Build each artifact `builds` times, for an interval of its build time."""
        self.checker, self.calls, self.progress, self.builds = checker, calls, progress, builds

    def obtain(
        self,
        folder: Path,
        draft: Artifact,
        write: Write,
        reference: Reference,
        key: CacheKey,
    ) -> Artifact:
        """Restore the artifact from the cache below `folder`, or build it and save it there.

        An artifact that failed is not saved, so that the next run tries again. One that these versions do
        not support, or that gives wrong results, is saved.
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
                if done.status != FAILED and done.trained:
                    cache.save(key, title, where)
        self.progress.end(is_new=not restored)
        print(f"  {done.variant:44} {_describe(done)}", flush=True)
        return done

    def make(self, folder: Path, draft: Artifact, write: Write, reference: Reference) -> Artifact:
        """Write one artifact below `folder` with `write`, check it, and save its manifest.

        Raises:
            UserError: the model is damaged.
            OSError: the disk is full, or this process cannot write to it.
        """
        where = folder / draft.folder
        where.mkdir(parents=True)
        printed = ""
        try:
            runtime = plugin.load("runtimes", draft.settings, f"runtimes.{draft.runtime}")
            if reference.varying and not runtime.sizes:
                raise Unsupported("it takes inputs of one size only")
            pool = self.checker.preload(draft, reference)
            self._score(reference)
            pool.wait()  # imports beside a build would lengthen the seconds of the build
            draft = replace(draft, **self._build(write, reference, where))
            done = self.checker.check(where, artifact.seal(where, draft), reference)
        except Unsupported as error:
            done = replace(draft, status=UNSUPPORTED, reason=str(error))
        except Failed as error:
            done = replace(draft, status=FAILED, reason=str(error))
            printed = error.printed if isinstance(error, CallFailed) else ""
        if done.status != OK:  # so that nothing downstream can load a failed artifact
            shutil.rmtree(where)
            where.mkdir()
        if printed:
            write_text(where / ERROR, printed)
        artifact.save(where, done)
        return done

    def _build(self, write: Write, reference: Reference, where: Path) -> dict[str, Any]:
        """Write the artifact in a process of its own; return the seconds of a build and the model's notes."""
        build = partial(build_row, write, reference, where.absolute(), self.builds)
        try:
            return self.calls.call(build, where)
        except UserError as error:  # of the toolchain: a damaged model has raised its own before
            raise Failed(str(error)) from None

    def _score(self, reference: Reference) -> None:
        """Compute eager's logits, once for all artifacts of a model, in a process of its own.

        Raises:
            Unsupported: there is no such model.
            Failed: the process has failed, now or for an earlier artifact of the model.
        """
        if reference.fault:
            raise reference.fault
        if "logits" in vars(reference):
            return
        folder, resized = reference.folder.absolute(), self.checker.resized(reference.varying)
        files = [file.absolute() for file in resized.values()]
        try:
            logits = self.calls.call(partial(eager_logits, folder, self.checker.images.absolute()))
            if files:
                outputs = self.calls.call(partial(eager_resized, folder, files))
                reference.resized = dict(zip(resized, outputs, strict=True))
            probes = {change: file.absolute() for change, file in self.checker.probes.items()}
            reference.probed = self.calls.call(partial(eager_probed, folder, probes))
            reference.logits = logits
        except (Failed, Unsupported) as error:
            reference.fault = error
            raise


@contextmanager
def open_builder(
    test: Images,
    tolerance: Tolerance,
    timeout_s: float,
    title: str = "artifacts",
    total: int = 0,
    builds: int = 1,
    memory_mb: float = 0,
    modules: Sequence[str] = (),
) -> Iterator[ArtifactBuilder]:
    """Open an `ArtifactBuilder`; its processes and scratch files end with the block.

    Args:
        title: of the line that shows the progress.
        total: number of artifacts that will be obtained.
        builds: of each artifact.
        memory_mb: the most resident memory of a build, 10**6 bytes; 0 for most of what is available.
        modules: what the builds import, besides torch.
    """
    with ExitStack() as stack:

        @functools.cache
        def worker_pool(hardware: str) -> WorkerPool:
            threads = int(os.environ.get("OMP_NUM_THREADS") or cores())
            settings = {"name": hardware, "threads": threads}
            limit = partial(limit_mb, memory_mb)
            pool = WorkerPool(settings, LONGER * timeout_s, memory_mb=limit, sharing=True)
            return stack.enter_context(pool)

        scratch = stack.enter_context(temporary_folder())
        calls = IsolatedCalls(
            list(dict.fromkeys([*MODULES, *modules])), scratch, LONGER * timeout_s, memory_mb
        )
        stack.enter_context(calls)
        progress = stack.enter_context(counted(title, total))
        checker = ArtifactChecker(test, tolerance, worker_pool, scratch)
        yield ArtifactBuilder(checker, calls, progress, builds)


def _describe(built: Artifact) -> str:
    if built.status != OK:
        return f"{built.status}: {built.reason}"
    task = plugin.load("tasks", built.task, "task")
    score = "untrained" if built.score is None else task.said(built.score)
    agreement = "" if built.agreement is None else f", agreement {built.agreement:.2%}"
    return f"{score}{agreement}, {built.megabytes:.2f} MB"
