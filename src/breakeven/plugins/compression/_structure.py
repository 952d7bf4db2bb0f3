"""What pruning has to keep of a model: its classes, its shared weights, and that it can be trained."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

from breakeven.core.errors import Unsupported

if TYPE_CHECKING:
    from torch import Tensor, nn

    from breakeven.artifacts.tensors import Tensors


def heads_of(model: "nn.Module", example: "Tensors") -> "list[nn.Module]":
    """Return the layers whose output channels are those of an output of the model, as the classes are.

    Args:
        model: in evaluation mode.
        example: inputs of the model's shape.
    """
    import torch

    from breakeven.artifacts.tensors import call, separate

    with torch.no_grad():
        outputs = separate(call(model, example))
    found = [
        _heads_of(model, example, n, output.shape[1]) for n, output in enumerate(outputs) if output.ndim > 1
    ]
    return list(dict.fromkeys(chain.from_iterable(found)))


def _heads_of(model: "nn.Module", example: "Tensors", number: int, width: int) -> "list[nn.Module]":
    """Return the heads of one output: the last called layer of its width, and others.

    A NaN in one channel of a head stays in one channel. Later layers spread a NaN of any other layer.
    """
    import torch
    from torch import nn

    from breakeven.artifacts.tensors import call, separate

    called: list[nn.Module] = []

    def note(layer: nn.Module, inputs: Any, output: "Tensor") -> None:
        called.append(layer)

    def spoil(layer: nn.Module, inputs: Any, output: "Tensor") -> "Tensor":
        spoilt = output.clone()
        spoilt[(..., 0) if isinstance(layer, nn.Linear) else (slice(None), 0)] = torch.nan
        return spoilt

    widths = {m: m.out_features if isinstance(m, nn.Linear) else m.out_channels for m in _layers(model)}
    wide = [layer for layer, channels in widths.items() if channels == width]
    hooks = [layer.register_forward_hook(note) for layer in wide]
    with torch.no_grad():
        call(model, example)
        for hook in hooks:
            hook.remove()
        heads = called[-1:]
        for layer in dict.fromkeys(called[:-1]):
            with layer.register_forward_hook(spoil):
                output = separate(call(model, example))[number]
                spoilt = output.isnan().transpose(0, 1).flatten(1).any(1)  # (width,)
            if spoilt[0] and not spoilt[1:].any():
                heads.append(layer)
    return heads


def output_sizes(model: "nn.Module", example: "Tensors") -> str:
    """Return how many channels, or classes, each output of the model has, for messages."""
    from breakeven.artifacts.tensors import call, separate

    return " and ".join(str(output.shape[1]) for output in separate(call(model, example)) if output.ndim > 1)


def require_own_weights(model: "nn.Module") -> None:
    """Refuse a model with a convolution or a linear layer whose weight is computed from other parameters.

    Raises:
        Unsupported: it names the first such layer.
    """
    from torch import nn
    from torch.nn.utils import parametrize

    for name, layer in model.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv2d) and (
            parametrize.is_parametrized(layer, "weight") or not isinstance(layer.weight, nn.Parameter)
        ):
            raise Unsupported(
                f"the weight of {name} is computed from others, as by weight_norm; pruning needs its own"
            )


def tied_parameters(model: "nn.Module") -> list[list[str]]:
    """Return the names of the parameters that are one tensor, one list for each such tensor."""
    names = defaultdict(list)
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names[id(parameter)].append(name)
    return [same for same in names.values() if len(same) > 1]


def require_ties(model: "nn.Module", ties: Iterable[list[str]]) -> None:
    """Refuse a model in which parameters that were one tensor have come apart.

    Args:
        ties: what `tied_parameters` returned before.

    Raises:
        Unsupported: it names the first two.
    """
    now = dict(model.named_parameters(remove_duplicate=False))
    for first, *others in ties:
        for other in others:
            if now[first] is not now[other]:
                raise Unsupported(f"{first} and {other} are one weight, and pruning would take them apart")


def require_trainable(model: "nn.Module", example: "Tensors") -> None:
    """Refuse a pruned model that evaluates, but fails while it is trained.

    Layers that only training calls, such as auxiliary heads, are not in the graph that was pruned.

    Raises:
        Unsupported: it quotes the error.
    """
    from breakeven.artifacts.module_modes import training_output

    try:
        training_output(model, example)
    except Exception as error:  # any error of the user's code
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise Unsupported(
            f"the pruned model fails while it is trained, perhaps in a layer that only training calls "
            f"({first})"
        ) from None


def _layers(model: "nn.Module") -> "list[nn.Linear | nn.Conv2d]":
    from torch import nn

    return [layer for layer in model.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
