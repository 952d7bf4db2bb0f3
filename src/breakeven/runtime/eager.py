"""PyTorch as it is: the baseline."""

import shutil
from pathlib import Path

from breakeven.runtime.base import Place, Runtime, Session, Source, torch_session


class Eager(Runtime):
    """The model's own files, run by torch in inference mode."""

    modules = ("torch", "torchvision", "torch_pruning", "breakeven.modelfile", "breakeven.preprocess")

    def export(self, source: Source, folder: Path) -> None:
        """Copy the model's files."""
        from breakeven.modelfile import CARD, WEIGHTS

        for name in (CARD, WEIGHTS):
            shutil.copyfile(source.folder / name, folder / name)

    def start(self, folder: Path, place: Place) -> None:
        """Set torch's threads, and import the model's source."""
        import torch

        from breakeven import modelfile

        torch.set_num_threads(place.threads)
        modelfile.constructor(modelfile.read_card(folder).model)

    def load(self, folder: Path, place: Place, preprocessing: str) -> Session:
        """Construct the model and load its weights."""
        import torch

        from breakeven import modelfile
        from breakeven.preprocess import Preprocess

        model, card = modelfile.load(folder)
        if preprocessing == "inside":
            model = torch.nn.Sequential(Preprocess(card.mean, card.std), model).eval()
        return torch_session(model.to(place.device), place.device)
