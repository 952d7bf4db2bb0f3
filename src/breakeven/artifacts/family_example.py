"""The trained model of a family, and what it is called with."""

from torch import Tensor, nn

from breakeven.artifacts import artifact, dataset, saved_model
from breakeven.artifacts.tensors import separate, to_tensors
from breakeven.core import paths
from breakeven.core.errors import UserError


def require_trained(family: str) -> None:
    """Raise an error unless a family is trained.

    Raises:
        UserError: it is not; the message names the command.
    """
    if not paths.model(family).is_dir():
        raise UserError(f"{family} is not trained yet: run `dvc repro train@{family}`.")


def family_example(family: str, data: str, samples: int) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """Return the trained model of a family, for inference, and the inputs for its first test samples.

    Args:
        family: a key of `families`.
        data: the name of its dataset.
        samples: how many samples a call takes.
    """
    model, card = saved_model.load(paths.model(family))
    images = dataset.load_split(paths.prepared(data), "test").images[:samples]
    inputs = artifact.model_inputs(images, "outside", card.mean, card.std)
    return model, separate(to_tensors(inputs))
