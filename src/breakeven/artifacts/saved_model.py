"""Models on disk. A model is constructed, pruned again, and given its weights, as its manifest says."""

import inspect
import math
import pkgutil
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from breakeven.artifacts.model_manifest import (
    MANIFEST,
    WEIGHTS,
    ImageInput,
    ModelManifest,
    TextInput,
    read_card,
)
from breakeven.core.errors import Failed, Unsupported, UserError
from breakeven.core.files import require_sha256, sha256, write_json


class ModelSize(NamedTuple):
    """The figures of a `ModelManifest` that say how large a model is."""

    parameters: int
    macs: int
    activations: int


MOST = 400  # most characters of an error in a message


def constructor(spec: Mapping[str, Any], place: str = "model") -> Callable[..., Any]:
    """Return the function or class that `spec` names as its `_target_`.

    Args:
        spec: the section `model` of a family.
        place: the dotted key of `spec`, for messages.

    Raises:
        UserError: the function or class cannot be imported.
    """
    target = str(spec.get("_target_"))
    try:
        return cast(Callable[..., Any], pkgutil.resolve_name(target))
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"{place}._target_={target}: cannot be imported ({error}).") from None


def import_dependencies(card: ModelManifest) -> None:
    """Import every module that loading the model with this manifest needs."""
    constructor(card.model)
    if card.pruning:
        import torch_pruning  # noqa: F401


def build(spec: Mapping[str, Any], shape: ImageInput | TextInput, place: str = "model") -> nn.Module:
    """Construct the model that `spec` describes for inputs of `shape`.

    `_inputs_` in `spec` maps arguments of the constructor to facts of the dataset. By default, `in_channels`
    gets the channels and `num_classes` the classes.

    Args:
        spec: `_target_`, `_inputs_` and the other arguments of the constructor.
        shape: the shape of the inputs.
        place: the dotted key of `spec`, for messages.

    Raises:
        UserError: the constructor does not exist, fails with these arguments, or returns no `nn.Module`.
        Unsupported: the constructor raised it.
    """
    arguments = {k: v for k, v in spec.items() if k not in ("_target_", "_inputs_")}
    construct = constructor(spec, place)
    inputs = spec.get("_inputs_", {"in_channels": "channels", "num_classes": "classes"})
    facts = asdict(shape)
    if odd := [fact for fact in inputs.values() if fact not in facts]:
        raise UserError(f"{place}._inputs_: {odd[0]!r} is not one of {', '.join(facts)}.")
    try:
        model = construct(**arguments, **{name: facts[fact] for name, fact in inputs.items()})
    except (UserError, Unsupported):
        raise
    except Exception as error:  # pydantic's ValidationError, an assertion, weights that cannot be downloaded
        raise UserError(f"{place}: {_fault(error)} Its arguments: {_signature(construct)}.") from None
    if not isinstance(model, nn.Module):
        raise UserError(
            f"{place}._target_={spec['_target_']}: gives a {type(model).__name__}, not a torch.nn.Module."
        )
    return model


def save(folder: Path, model: nn.Module, card: ModelManifest) -> ModelManifest:
    """Write weights and manifest into `folder`, and return the manifest with the weights' sha256 and size."""
    weights = folder / WEIGHTS
    # Channels-last tensors are not contiguous, which safetensors requires.
    save_file({k: v.detach().contiguous().clone() for k, v in model.state_dict().items()}, weights)
    card = replace(card, sha256=sha256(weights), megabytes=weights.stat().st_size / 1e6)
    write_json(folder / MANIFEST, asdict(card))
    return card


def load(folder: Path, checked: bool = False) -> tuple[nn.Module, ModelManifest]:
    """Return the model in `folder`, in evaluation mode, and its manifest.

    Args:
        folder: the folder of the model.
        checked: whether the sha256 of the weights was checked already. A worker checks all files of an
            artifact before it times the artifact.

    Raises:
        Unsupported, Failed: the folder holds no model but the reason why there is none.
        UserError: the manifest or the weights are missing, the weights were changed, or the model cannot be
            constructed.
    """
    card = read_card(folder)
    if card.reason:
        raise (Failed if card.failed else Unsupported)(card.reason)
    if not checked:
        require_sha256(folder / WEIGHTS, card.sha256)
    model = build(card.model, card.shape)
    prune_again(model, card.shape, card.pruning)
    load_tensors(model, load_file(folder / WEIGHTS))
    return model.eval(), card


def prune_again(model: nn.Module, shape: ImageInput | TextInput, history: list[Any]) -> None:
    """Prune a model as it was pruned before.

    Args:
        model: the model, which is changed.
        shape: the shape of its inputs.
        history: the steps that a compression has returned; an empty list changes nothing.
    """
    if history:
        from torch_pruning import DependencyGraph

        with torch.enable_grad():  # it follows the graph by autograd
            graph = DependencyGraph().build_dependency(model, example_inputs=shape.example())
        graph.load_pruning_history(history)


def load_tensors(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Load weights into `model` by name.

    Some modules refuse weights without a version, for example torchvision's MNASNet. If `tensors` has no
    versions (torch's `_metadata`), they get the versions of the model's own modules.
    """
    state: Any = OrderedDict(tensors)
    own: Any = model.state_dict()
    state._metadata = getattr(tensors, "_metadata", own._metadata)
    model.load_state_dict(state)


def load_checkpoint(path: Path, model: nn.Module) -> None:
    """Load a user's own weights into `model`, from safetensors or from a state dict that torch.save wrote.

    Raises:
        UserError: the file is missing or unreadable, or does not fit the model.
    """
    try:
        state = (
            load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
        )
    except FileNotFoundError:
        raise UserError(f"checkpoint={path}: there is no such file.") from None
    except (SafetensorError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise UserError(f"checkpoint={path}: cannot be read ({str(error).splitlines()[0]}).") from None
    except Exception as error:  # pickle.UnpicklingError, and any other error of a foreign pickle
        raise UserError(
            f"checkpoint={path}: holds more than tensors ({type(error).__name__}), and is not run. "
            f"Save it again as `torch.save(model.state_dict(), PATH)` or as safetensors."
        ) from None
    for wrapper in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not isinstance(state, dict):
        raise UserError(f"checkpoint={path}: holds a {type(state).__name__}, not a state dict.")
    state = _without_prefix(state, model.state_dict().keys())
    try:
        load_tensors(model, state)
    except RuntimeError as error:
        lines = " ".join(line.strip() for line in str(error).splitlines()[1:3])
        cut = f"{lines[:MOST]} ... ({len(lines):,} characters)" if len(lines) > MOST else lines
        raise UserError(f"checkpoint={path}: does not fit the model: {cut}") from None


def _without_prefix(state: Mapping[str, Any], names: Collection[str]) -> Mapping[str, Any]:
    """Return the state without the prefix that a wrapper put before all names.

    Such wrappers are nn.DataParallel, torch.compile and Lightning modules.

    Args:
        state: name -> tensor.
        names: the names in the model. A prefix that the model itself has is kept.
    """
    for prefix in ("module.", "_orig_mod.", "model.", "net."):
        if all(name.startswith(prefix) for name in state) and not any(n.startswith(prefix) for n in names):
            return {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def count_work(model: nn.Module, shape: ImageInput | TextInput) -> ModelSize:
    """Return the size of a model, for one input of `shape`.

    Activations are the numbers that convolutions (2-D) and linear layers read and write. FlopCounterMode
    counts two operations for each multiply-accumulate.
    """
    moved = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal moved
        moved += inputs[0].numel() + output.numel()

    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    training = model.training
    operations = flops(model.eval(), shape.example())
    model.train(training)
    for hook in hooks:
        hook.remove()
    parameters = sum(p.numel() for p in model.parameters())
    return ModelSize(parameters, math.ceil(operations / 2), moved)


def flops(model: nn.Module, example: Tensor) -> int:
    """Return the floating-point operations for `example`: two for each multiply-accumulate."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(example)
    return int(counter.get_total_flops())


def _fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc']))}={fault['input']}: {fault['msg'].lower()}."
    said = f"{(str(error).splitlines() or [''])[0].rstrip('.')}."
    usual = isinstance(error, TypeError | ValueError | RuntimeError)  # their messages are sentences
    return said if usual and said != "." else f"{type(error).__name__}: {said}".replace(": .", ".")


def _signature(constructor: Any) -> str:
    try:
        return ", ".join(map(str, inspect.signature(constructor).parameters))
    except (TypeError, ValueError):
        return "unknown"
