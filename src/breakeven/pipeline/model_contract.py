"""The contract for models: it is checked before a training, and again on the saved model.

Both times the model is loaded in fresh processes, like those that measure it.
"""

import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from breakeven.artifacts.dataset import DatasetManifest
from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.artifacts.records import leading
from breakeven.artifacts.tensors import to_tensors
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.source_digest import packages
from breakeven.engine.forkserver_client import WorkerFailed
from breakeven.engine.target import CallTarget
from breakeven.engine.variant_specs import save_callable
from breakeven.engine.worker_pool import WorkerPool
from breakeven.pipeline.model_promises import SAME, difference
from breakeven.pipeline.model_rehearsal import (
    Rehearsal,
    load_elsewhere,
    make_and_save,
    read_down,
    write_down,
)

if TYPE_CHECKING:
    from breakeven.pipeline.fit_model import ModelJob

TIMEOUT_S = 600  # for what a user's own code may do in one check
IMAGES = 32  # before the training
SCORED, SCORED_S = 1000, 1.5  # images of the saved model, and seconds to predict them, at most
MODULES = ("torch", "breakeven.artifacts.saved_model", "breakeven.pipeline.model_rehearsal")


class ModelContract:
    """The checks of one model, and the processes that they run in."""

    def __init__(
        self, job: "ModelJob", manifest: DatasetManifest, images: NDArray[np.generic], pool: WorkerPool
    ) -> None:
        """Prepare the checks.

        Args:
            images: of the test set; uint8, (N, C, H, W), or tokens, (N, L).
        """
        self.job, self.manifest, self.images, self.pool = job, manifest, images, pool
        self.place = f"families.{job.family}.model" if job.recipe == "none" else f"{job.family}/{job.recipe}"
        self.modules = (*MODULES, *packages(str(job.spec.get("_target_"))))

    def check_before_training(self) -> None:
        """Check everything that a model promises, on a copy that is thrown away.

        Raises:
            UserError: the first promise that it breaks, or why it cannot be constructed.
        """
        count = min(IMAGES, len(self.images))
        images = np.ascontiguousarray(self.images[_spread(len(self.images), count)])
        with TemporaryDirectory() as scratch:
            folder = Path(scratch)
            half = partial(
                make_and_save, self.job.build, self.job.seed, self.job.train, images, self._card(), folder
            )
            made = self._run(half)
            loaded = self._run(partial(load_elsewhere, folder, self.job.seed + 1, images))
        self._compare(made, loaded, "when it was saved")
        if changed := loaded.changed or made.changed:
            print(f"warning: {self.place}: its code sets {changed}; it is set back", file=sys.stderr)
        if loaded.files:
            print(
                f"warning: {self.place}: its code reads {', '.join(loaded.files)}. After an edit there, "
                "`dvc repro` trains nothing again: put it into a Python module, or into the model's yaml",
                file=sys.stderr,
            )

    def check_saved(
        self, folder: Path, predict: Callable[[NDArray[Any]], NDArray[np.float32]], seconds: float
    ) -> None:
        """Load the model in `folder` in a new process; it must score what it scores in this one.

        Args:
            predict: the model's logits in this process, (N, classes).
            seconds: the time of `predict` for the whole test set, which decides how many images are compared.

        Raises:
            UserError: it scores something else, or breaks another promise.
        """
        affordable = int(len(self.images) * SCORED_S / max(seconds, 1e-9))
        count = min(len(self.images), SCORED, max(IMAGES, affordable))
        images = np.ascontiguousarray(self.images[_spread(len(self.images), count)])
        loaded = self._run(partial(load_elsewhere, folder, self.job.seed + 1, images))
        self._compare(Rehearsal(logits=predict(images)), loaded, "after its training")

    def _compare(self, made: Rehearsal, loaded: Rehearsal, when: str) -> None:
        assert made.logits is not None and loaded.logits is not None
        one, other = to_tensors(made.logits), to_tensors(loaded.logits)
        if (off := difference(one, other)) <= SAME:
            return
        agreed = self.job.task.agreement(
            *(leading(found, self.job.scored) for found in (made.logits, loaded.logits))
        )
        others = "" if agreed is None else f"; {1 - agreed:.0%} of its decisions differ"
        unsaved = ", ".join(dict.fromkeys((*made.unsaved, *loaded.unsaved)))
        raise UserError(
            f"{self.place}: loaded in another process, it gives other outputs than {when} (off by {off:.2g} "
            f"of the largest{others}): a part of it is in no state "
            f"dict{f' ({unsaved})' if unsaved else ''}, or its constructor draws it at random: "
            f"keep it in a parameter, by `register_buffer`, or as a submodule."
        )

    def _run(self, half: "partial[Rehearsal]") -> Rehearsal:
        """Run one half of a check in a fresh process.

        Raises:
            UserError: the model breaks a promise, or the process dies.
        """
        with TemporaryDirectory() as scratch:
            inputs, output = Path(scratch, "inputs"), Path(scratch)
            inputs.write_bytes(pickle.dumps(()))
            target = save_callable(partial(write_down, half, output), Path(scratch, "half"))
            target = replace(target, direct=True, inputs=str(inputs), preload=self.modules)
            try:
                with self.pool.worker(target) as worker:
                    worker.ask("load", images="", batch_size=1, compare=False)  # calls it once
            except (WorkerFailed, Unsupported) as error:
                raise UserError(f"{self.place}: {error}.") from None
            found = read_down(output)
        if found.broken:
            raise UserError(f"{self.place}: {found.broken}.")
        if found.error:
            raise UserError(found.error)
        return found

    def _card(self) -> ModelManifest:
        """Return the manifest of a model that is not trained yet."""
        manifest = self.manifest
        return ModelManifest(
            family=self.job.family,
            recipe=self.job.recipe,
            title="",
            model=self.job.spec,
            shape=manifest.shape,
            mean=manifest.mean,
            std=manifest.std,
            parameters=0,
            macs=0,
            activations=0,
            val_score=None,
            test_score=None,
            train_s=0.0,
            made="",
            key="",
            task=self.job.task.model_dump(),
            metric=self.job.task.metric,
            unit=self.job.task.unit,
            outputs=list(self.job.task.output_shape(manifest.shape.sample, manifest.shape.classes)),
            varying=self.job.varying,
        )


@contextmanager
def open_contract(
    job: "ModelJob", manifest: DatasetManifest, images: NDArray[np.generic]
) -> Iterator[ModelContract]:
    """Open the contract of a model.

    A model that is checked before its training needs the fork server at once. It imports the libraries while
    the caller goes on. For other models it starts after the training. On few cores its imports would slow the
    training down, and the training's seconds are a figure.
    """
    with WorkerPool({"name": "cpu", "threads": torch.get_num_threads()}, TIMEOUT_S) as pool:
        contract = ModelContract(job, manifest, images, pool)
        if job.recipe == "none":
            pool.prepare(CallTarget("pickle", "", preload=contract.modules))
        yield contract


def _spread(total: int, count: int) -> NDArray[np.intp]:
    """Return `count` numbers below `total`, evenly spread, because images may be sorted by class."""
    return np.arange(count) * total // count
