"""Profiles measured in this process, of models that a test names."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from breakeven.artifacts import saved_model
from breakeven.artifacts.model_manifest import ImageInput, ModelManifest
from breakeven.diagnosis.profile import profile
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime
from breakeven.plugins.runtimes.eager import Eager
from breakeven.results.time_profile import TimeProfile

SHAPE = ImageInput(3, 32, 32, 10)
CONTEXT = ExecutionContext("cpu", 1, 1)


def measured(
    folder: Path, target: str, seconds: float, runtime: Runtime | None = None, **arguments: Any
) -> TimeProfile:
    """The profile of a model with one image a call, in eager mode unless a runtime is given."""
    runtime = runtime or Eager(name="eager")
    model_folder, artifact = folder / "model", folder / "artifact"
    model_folder.mkdir(parents=True)
    artifact.mkdir()
    spec = {"_target_": target, **arguments}
    model = saved_model.build(spec, SHAPE).eval()
    nothing: dict[str, Any] = dict.fromkeys(("parameters", "macs", "activations"), 0)
    nothing |= dict.fromkeys(("val_score", "test_score")) | {"mean": [], "std": [], "train_s": 0.0}
    card = ModelManifest("test", "none", "test", spec, SHAPE, **nothing, made="untrained", key="")
    saved_model.save(model_folder, model, card)
    runtime.export(ExportInput(model, torch.randn(2, *SHAPE.sample), model_folder, "outside"), artifact)
    threads = torch.get_num_threads()
    try:
        runtime.start(artifact, CONTEXT)
        images = np.random.default_rng(0).normal(size=(1, *SHAPE.sample)).astype(np.float32)
        return profile(target, runtime, CONTEXT, artifact, "outside", images, seconds)
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
