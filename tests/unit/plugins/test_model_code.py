"""Runtimes that run the model's own code keep the hardware's threads, and the row says what was set back."""

from pathlib import Path

import fakes
import numpy as np
import pytest

from breakeven.engine.selftest.models import Model, write
from breakeven.engine.worker_pool import WorkerPool

THREADED = Model("threaded", {"_target_": "fakes.threaded.Threaded"}, (1, 8, 8))


@pytest.mark.timeout(300)
def test_threads_that_the_models_source_sets_are_set_back_in_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(fakes.__file__).parent.parent))
    folder = write(THREADED, "eager", tmp_path / "eager")
    images = tmp_path / "images.npy"
    np.save(images, THREADED.images(2))
    with WorkerPool(fakes.CPU1, 100) as pool, pool.worker(folder) as worker:
        worker.ask("load", images=str(images), batch_size=1, compare=False)  # which fails with other threads
        worker.ask("warm_up", least=3, most=3, limit_ms=0)
        facts = worker.ask("profile", images=str(images), calls=1)["facts"]
        worker.ask("memory")  # which checks them again
    (told,) = facts.values()
    assert told == "torch.set_num_threads (4), torch.set_default_dtype (torch.float64)"
