"""PyTorch as it is: the baseline."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.runtime.base import Runtime, Session, Source


class Eager(Runtime):
    """The model's own files, run by torch in inference mode."""

    modules = ("torch", "torchvision", "breakeven.modelfile", "breakeven.preprocess")

    def export(self, source: Source, folder: Path) -> None:
        """Copy the model's files."""
        from breakeven.modelfile import CARD, WEIGHTS

        for name in (CARD, WEIGHTS):
            shutil.copyfile(source.folder / name, folder / name)

    def start(self, threads: int) -> None:
        """Set torch's threads."""
        import torch

        torch.set_num_threads(threads)

    def load(self, folder: Path, threads: int, preprocessing: str) -> Session:
        """Construct the model and load its weights."""
        import torch

        from breakeven import modelfile
        from breakeven.preprocess import Preprocess

        model, card = modelfile.load(folder)
        if preprocessing == "inside":
            model = torch.nn.Sequential(Preprocess(card.mean, card.std), model).eval()

        def run(inputs: Any) -> Any:
            with torch.inference_mode():
                return model(inputs)

        return Session(torch.from_numpy, run, _logits)


def _logits(output: Any) -> NDArray[np.float32]:
    logits: NDArray[np.float32] = output.float().numpy()
    return logits
