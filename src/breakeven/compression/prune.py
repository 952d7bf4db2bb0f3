"""Structured channel pruning by torch-pruning (Fang et al., 2023)."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from breakeven.compression.base import Compression
from breakeven.errors import Unsupported

if TYPE_CHECKING:
    from torch import Tensor, nn


class Prune(Compression):
    """Remove the channels with the smallest weights, in every layer alike, then fine-tune."""

    ratio: float = Field(gt=0, lt=1, description="share of the channels that is removed")
    round_to: int = Field(gt=0, description="channel counts are multiples of it: the hardware's tile")

    def apply(self, model: "nn.Module", example: "Tensor") -> list[Any]:
        """Prune all but the last layer, whose outputs are the classes.

        Raises:
            Unsupported: torch-pruning is not installed, or cannot follow the model's graph.
        """
        import torch
        from torch import nn

        try:
            import torch_pruning as tp
        except ImportError:
            raise Unsupported("not installed: pip install 'breakeven[prune]'") from None
        classes = model(example).shape[1]
        heads = [m for m in model.modules() if isinstance(m, nn.Linear) and m.out_features == classes]
        pruner = tp.pruner.MagnitudePruner(
            model,
            example,
            importance=tp.importance.GroupMagnitudeImportance(p=2),
            pruning_ratio=self.ratio,
            round_to=self.round_to,
            ignored_layers=heads[-1:],
        )
        pruner.step()
        history = pruner.DG.pruning_history()
        if not history:
            raise Unsupported(
                f"nothing to prune: no layer keeps {self.round_to} channels at ratio {self.ratio}"
            )
        with torch.no_grad():
            model(example)  # a model that is no longer consistent fails here
        return [[name, out, [int(i) for i in index]] for name, out, index in history]
