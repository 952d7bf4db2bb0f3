"""LazyTensor with its TorchScript backend: record operations as they are called, run them when needed."""

from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.utils import _pytree as pytree

from breakeven.capture.example import Example, changed
from breakeven.capture.way import Break, Captured, Way

COMPILES = ("UncachedCompile", "CachedCompile")  # counters of the graphs that ran


class LazyTensor(Way):
    """Records each call anew; a value that Python reads ends a graph."""

    title = "LazyTensor"

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        """Move the model to the lazy device, and call it once."""
        import torch._lazy
        import torch._lazy.ts_backend
        from torch._lazy import metrics

        torch._lazy.ts_backend.init()
        lazy = model.to("lazy")
        graphs: list[int] = []
        breaks: list[Break] = []

        def call(*args: Any, **kwargs: Any) -> Any:
            metrics.reset()
            given = pytree.tree_map_only(Tensor, lambda tensor: tensor.to("lazy"), (args, kwargs))
            output = lazy(*given[0], **given[1])
            torch._lazy.mark_step()
            if not graphs:
                values = {name: metrics.counter_value(name) for name in metrics.counter_names()}
                graphs.append(sum(values.get(name, 0) for name in COMPILES))
                breaks.extend(
                    Break(f"{name} runs at once", "") for name in values if name.startswith("aten::")
                )
            result = changed(output, lambda tensor: tensor.cpu())
            for own, theirs in zip(
                pytree.tree_leaves((args, kwargs)), pytree.tree_leaves(given), strict=True
            ):
                if isinstance(own, Tensor):
                    own.copy_(theirs.cpu())  # where the model changes its inputs
            return result

        return Captured(call, lazy, graphs=lambda: graphs[0] if graphs else 0, breaks=lambda: breaks)
