"""PyTorch as it is: in float32 and the default layout, the baseline."""

from pathlib import Path

from breakeven.plugins.runtimes._torch import ModelSourceRuntime, torch_session
from breakeven.plugins.runtimes.base import ExecutionContext, Session


class Eager(ModelSourceRuntime):
    """The model's own code, run by torch in inference mode."""

    def load(self, folder: Path, place: ExecutionContext, preprocessing: str) -> Session:
        """Construct the model and load its weights."""
        return torch_session(self.model(folder, preprocessing).to(place.device), place.device)
