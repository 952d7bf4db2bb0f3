"""A test of capacity: time and memory for twenty variants of ResNet-18 on two hardware."""

import threading
import time
from pathlib import Path
from typing import Any

import psutil

from breakeven.engine.measure import measure_artifacts
from breakeven.engine.selftest.models import RESNET18, again, made
from breakeven.engine.settings import Budget

RUNTIMES, COPIES_PER_RUNTIME, REPLICATES = ("eager", "onnxruntime"), 10, 5


def run(folder: Path, seed: int) -> dict[str, Any]:
    """Measure the variants; return minutes, and the largest drop of available memory in 10**9 bytes.

    Args:
        folder: a folder for the artifacts.
        seed: the seed of the engine's random order.
    """
    variants: dict[str, Path] = {}
    for runtime in RUNTIMES:
        first = made(RESNET18, runtime, folder / f"capacity-{runtime}")
        variants |= {f"{runtime}{number}": again(first, number) for number in range(COPIES_PER_RUNTIME)}
    budget = Budget(seed=seed, min_replicates=REPLICATES, max_replicates=REPLICATES)
    started, free = time.monotonic(), psutil.virtual_memory().available
    least, done = [free], threading.Event()

    def watch() -> None:
        while not done.wait(1):
            least[0] = min(least[0], psutil.virtual_memory().available)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for threads in (1, 2):
            measured = measure_artifacts(
                variants, {"name": "cpu", "threads": threads}, budget, RESNET18.images(1)
            )
            assert all(
                comparison.speedup or name == "eager0" for name, comparison in measured.findings.of.items()
            )
    finally:
        done.set()
        watcher.join()
    return {
        "minutes": (time.monotonic() - started) / 60,
        "gigabytes": (free - least[0]) / 1e9,
    }
