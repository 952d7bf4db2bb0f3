"""Runtimes that exist for tests only, and artifacts of them; each loads in no time and needs no file."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact
from breakeven.artifacts.artifact import LOGITS, Artifact

CPU1 = {"name": "cpu", "threads": 1}
IMAGES: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8), np.uint8)
WEIGHTS = np.random.default_rng(1).normal(size=(64, 10)).astype(np.float32)


def logits(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """The model that all of them run."""
    return np.tanh(inputs.reshape(len(inputs), -1)) @ WEIGHTS


def write(folder: Path, name: str, **settings: Any) -> Path:
    """Write an artifact of the runtime `fakes.<name>`, scored with `IMAGES`, and return its folder."""
    facts: dict[str, Any] = {"family": "fake", "recipe": "none", "precision": "fp32", "quantization": ""}
    facts |= {"preprocessing": "outside", "mean": [0.5], "std": [0.5], "parameters": 640, "macs": 640}
    made = Artifact(runtime=name, settings={"name": f"fakes.{name}", **settings}, **facts)
    folder.mkdir(parents=True)
    artifact.save(folder, made)
    np.save(folder / LOGITS, logits(made.inputs(IMAGES)))
    return folder
