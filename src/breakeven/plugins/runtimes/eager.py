"""PyTorch's eager mode, the baseline in float32 and the default layout. It needs torch only."""

from dataclasses import replace
from pathlib import Path

from breakeven.plugins.runtimes._torch import ModelSourceRuntime, torch_session
from breakeven.plugins.runtimes.base import ExecutionContext, Session


class Eager(ModelSourceRuntime):
    """Runs the model's own code in inference mode."""

    sizes = "its code takes them as they come"

    def load(self, folder: Path, context: ExecutionContext, preprocessing: str) -> Session:
        """Construct the model and load its weights."""
        model = self.model(folder, preprocessing).to(context.device)
        return replace(torch_session(model, context.device), module=model)
