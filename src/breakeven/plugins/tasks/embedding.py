"""Embedding: a vector for each sample, so that samples of one class lie close together (retrieval)."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from breakeven.plugins.tasks.base import Outputs, Scores, Targets, Task, class_objection

QUERIES = 1024  # samples compared with all others at once


class Embedding(Task):
    """Outputs are vectors, (N, dimensions), compared by their cosine; targets are classes, (N,).

    The score is recall@1: each sample of the split is a query, and it is found if its nearest neighbour among
    all others is of its class.
    """

    metric: Literal["recall_at_1"] = "recall_at_1"
    better: Literal["higher"] = "higher"
    unit: Literal["%"] = "%"
    dimensions: int = Field(gt=0, description="numbers in an embedding")
    temperature: float = Field(
        0.1, gt=0, description="of the training's loss: smaller, and the nearest others of a class count more"
    )

    def output_shape(self, inputs: tuple[int, ...], outputs: int) -> tuple[int, ...]:
        """Return (dimensions,)."""
        return (self.dimensions,)

    def objection(self, targets: Targets) -> str:
        """Return why these are no targets of the task; empty if they are."""
        return class_objection(targets, 1, "sample")

    def scores(self, outputs: Outputs, targets: Targets) -> Scores:
        """Return 1 for each sample whose nearest neighbour is of its class, and 0 for the others."""
        unit = outputs / np.maximum(np.linalg.norm(outputs, axis=1, keepdims=True), 1e-12)
        found: NDArray[np.float64] = np.zeros(len(outputs))
        for start in range(0, len(unit) if len(unit) > 1 else 0, QUERIES):
            likeness = unit[start : start + QUERIES] @ unit.T
            rows = np.arange(len(likeness))
            likeness[rows, start + rows] = -np.inf  # no sample is its own neighbour
            found[start + rows] = targets[likeness.argmax(axis=1)] == targets[start + rows]
        return found

    def loss(self, outputs: Any, targets: Any, smoothing: float = 0.0) -> Any:
        """Return the supervised contrastive loss of a batch (Khosla et al., 2020)."""
        import torch
        import torch.nn.functional as F

        unit = F.normalize(outputs, dim=1)
        itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
        likeness = (unit @ unit.T / self.temperature).masked_fill(itself, -1e4)
        same = (targets[:, None] == targets[None]) & ~itself
        log_shares = likeness.log_softmax(dim=1)
        others = same.sum(dim=1)
        pulled = -(log_shares * same).sum(dim=1) / others.clamp(min=1)
        return pulled.sum() / (others > 0).sum().clamp(min=1)

    def imitation_loss(self, outputs: Any, teacher: Any, temperature: float) -> Any:
        """Return one minus the mean cosine of a student's and its teacher's embeddings."""
        import torch.nn.functional as F

        return 1 - F.cosine_similarity(outputs, teacher, dim=1).mean()
