"""A sample of training data for compressions that need gradients or activations."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch

from breakeven.artifacts import dataset
from breakeven.artifacts.inference import safe_batch_size
from breakeven.artifacts.preprocess import normalize
from breakeven.artifacts.tensors import Tensors
from breakeven.plugins.compression.base import LossOf
from breakeven.plugins.tasks.base import Task

SAMPLE_BATCH = 64  # images at most


def training_batches(data: Path, seed: int, task: Task, count: int) -> Iterator[tuple[Tensors, LossOf]]:
    """Yield batches of normalized inputs, each with the loss of the outputs for it, drawn by `seed`.

    Args:
        data: the folder of the prepared dataset; the batches come from its training split.
        task: gives the loss.
        count: number of inputs, or the whole split if it has fewer.
    """
    manifest, train = dataset.manifest(data), dataset.load_split(data, "train")
    indices = np.random.default_rng(seed).permutation(len(train.labels))[:count]
    size = safe_batch_size(train.images, SAMPLE_BATCH)
    for start in range(0, len(indices), size):
        chosen = indices[start : start + size]
        inputs = normalize(train.images[chosen], manifest.mean, manifest.std)
        yield inputs, partial(task.loss, targets=torch.from_numpy(train.labels[chosen]))
