"""The ablation of the engine's protocol: how often it calls copies different without some of its parts."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from breakeven.engine.selftest.aa_copies import MODELS, Trial
from breakeven.engine.selftest.models import made
from breakeven.engine.selftest.synthetic_load import bursts
from breakeven.engine.worker_pool import WorkerPool

COPIES, CALLS, ROUNDS = 8, 200, 15
METHODS = ("sequential", "one process, paired", "paired, no replicates", "the whole")


@dataclass(frozen=True)
class CommonProtocol:
    """Two common protocols: one process after the other, and one process for all copies, in rounds."""

    model: str
    loaded: bool = False
    threads: int = 1

    @property
    def condition(self) -> str:
        """Return the name that a trial of the engine has under these conditions."""
        return Trial(self.model, threads=self.threads, loaded=self.loaded).condition

    def run(self, folder: Path, seed: int) -> dict[str, Any]:
        """Return, by method, each copy's log-ratio to the first, and whether a test at 5% calls it different.

        Args:
            folder: a folder for the artifact and the images.
            seed: unused; each piece of the self-test takes one.
        """
        model, images = MODELS[self.model], folder / f"habit-{self.model}.npy"
        artifact = made(model, "onnxruntime", folder / f"habit-{self.model}")
        np.save(images, model.images(1))
        with bursts(self.loaded):
            return {
                "condition": self.condition,
                "sequential": _sequential(artifact, images, self.threads),
                "one process, paired": _one_process(artifact, images, self.threads),
            }


def _sequential(artifact: Path, images: Path, threads: int) -> list[tuple[float, bool]]:
    """Time each copy in a process of its own, one after the other, and compare the calls by rank."""
    calls = []
    for _ in range(COPIES + 1):
        with WorkerPool({"name": "cpu", "threads": threads}, 60) as pool, pool.worker(artifact) as worker:
            worker.ask("load", images=str(images), batch_size=1, compare=False)
            calls.append(worker.ask("block", calls=CALLS, settle=20, callers=1)["calls_ms"])
    base, *copies = calls
    return [
        (
            float(np.log(np.median(base) / np.median(copy))),
            bool(stats.mannwhitneyu(base, copy).pvalue < 0.05),
        )
        for copy in copies
    ]


def _one_process(artifact: Path, images: Path, threads: int) -> list[tuple[float, bool]]:
    arguments = [artifact, images, threads, COPIES + 1, ROUNDS]
    command = [sys.executable, "-m", "breakeven.engine.selftest.one_process", *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    base, *copies = np.log(json.loads(done.stdout))
    return [_paired(base - copy) for copy in copies]


def no_replicates(trial: Mapping[str, Any]) -> list[tuple[float, bool]]:
    """Return log-ratio and decision for each copy, from the rounds of a trial's first replicate only."""
    base = np.log(np.array(trial["base"][0])[:, 0])
    return [_paired(base - np.log(np.array(copy["rounds"][0])[:, 0])) for copy in trial["copies"]]


def whole(trial: Mapping[str, Any]) -> list[tuple[float, bool]]:
    """Return log-ratio and decision for each copy, from the engine's own test over replicates.

    The test is at 5% without a correction for the number of copies, as are those of the other methods.
    """
    copies = [np.array(copy["log_ratios"]) for copy in trial["copies"]]
    return [(float(ratios.mean()), bool(stats.ttest_1samp(ratios, 0.0).pvalue < 0.05)) for ratios in copies]


def _paired(differences: Any) -> tuple[float, bool]:
    return float(np.median(differences)), bool(stats.wilcoxon(differences).pvalue < 0.05)
