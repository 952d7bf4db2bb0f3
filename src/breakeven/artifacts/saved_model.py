"""Models on disk. A model is constructed, pruned again, and given its weights, as its manifest says."""

import difflib
import inspect
import pkgutil
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from breakeven.artifacts.model_manifest import (
    MANIFEST,
    WEIGHTS,
    Input,
    ModelManifest,
    read_card,
)
from breakeven.artifacts.model_spec import arguments_of, inputs_of, require_constructor, without_download
from breakeven.artifacts.module_modes import evaluated, forget_history, materialize
from breakeven.artifacts.output_of import OutputOf
from breakeven.artifacts.process_settings import kept
from breakeven.core import interrupts
from breakeven.core.digests import require_sha256, sha256
from breakeven.core.errors import Failed, Unsupported, UserError
from breakeven.core.files import write_json
from breakeven.core.import_errors import import_fault


def constructor(spec: Mapping[str, Any], dotted_key: str = "model") -> Callable[..., Any]:
    """Return the function or class that `spec` names as its `_target_`.

    Args:
        spec: the section `model` of a family.
        dotted_key: the dotted key of `spec`, for messages.

    Raises:
        UserError: the function or class cannot be imported, or cannot give a module.
    """
    target = str(spec.get("_target_"))
    try:
        with kept():
            named = pkgutil.resolve_name(target)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"{dotted_key}._target_={target}: cannot be imported ({error}).{_near(target)}"
        ) from None
    except (interrupts.Terminated, MemoryError):
        raise
    except (Exception, SystemExit) as error:  # of the module's own code
        raise UserError(f"{dotted_key}._target_={target}: {import_fault(error)}.") from None
    require_constructor(target, named, dotted_key)
    return cast(Callable[..., Any], named)


def _near(target: str) -> str:
    """Return a question with the name in the target's module that is nearest to it; "" if none is."""
    module, _, name = target.rpartition(".")
    near = difflib.get_close_matches(name, vars(sys.modules[module]), n=1) if module in sys.modules else []
    return f" Did you mean {module}.{near[0]}?" if near else ""


def import_dependencies(card: ModelManifest) -> None:
    """Import every module that loading the model with this manifest needs."""
    constructor(card.model)
    if card.pruning:
        from breakeven.artifacts import pruning_library  # noqa: F401


def build(
    spec: Mapping[str, Any],
    shape: Input,
    dotted_key: str = "model",
    complete: bool = True,
) -> nn.Module:
    """Construct the model that `spec` describes for inputs of `shape`.

    `_inputs_` in `spec` maps arguments of the constructor to facts of the dataset. By default, `in_channels`
    gets the channels and `num_classes` the classes. `_output_` names the output that is scored, where a model
    gives several.

    Args:
        spec: `_target_`, `_inputs_` and the other arguments of the constructor.
        shape: the shape of the inputs.
        dotted_key: the dotted key of `spec`, for messages.
        complete: whether lazy layers get their weights, from a call with inputs of `shape`.

    Raises:
        UserError: the constructor does not exist, fails with these arguments, or returns no `nn.Module`.
        Unsupported: the constructor raised it.
    """
    construct = constructor(spec, dotted_key)
    facts = asdict(shape)
    inputs = inputs_of(spec, facts, dotted_key)
    try:
        with kept():
            model = construct(**arguments_of(spec), **{name: facts[fact] for name, fact in inputs.items()})
            if isinstance(model, nn.Module) and spec.get("_output_") is not None:
                model = OutputOf(model, spec["_output_"])
            if complete and isinstance(model, nn.Module):
                materialize(model, shape.example())
                forget_history(model)
    except (UserError, Unsupported):
        raise
    except Exception as error:  # pydantic's ValidationError, an assertion, weights that cannot be downloaded
        raise UserError(f"{dotted_key}: {_fault(error)} Its arguments: {_signature(construct)}.") from None
    if not isinstance(model, nn.Module):
        raise UserError(
            f"{dotted_key}._target_={spec['_target_']}: gives a {type(model).__name__}, "
            "not a torch.nn.Module."
        )
    return model


def save(folder: Path, model: nn.Module, card: ModelManifest) -> ModelManifest:
    """Write weights and manifest into `folder`, and return the manifest with the weights' sha256 and size.

    The manifest constructs the model without pretrained weights, because its own weights replace them.

    Raises:
        UserError: the state of the model holds more than tensors.
    """
    weights = folder / WEIGHTS
    if odd := [name for name, value in model.state_dict().items() if not isinstance(value, Tensor)]:
        raise UserError(
            f"{card.family}: {odd[0]} in its state dict is no tensor, and only tensors are saved: keep it in "
            f"a tensor, by `register_buffer`."
        )
    # Channels-last tensors are not contiguous, which safetensors requires.
    save_file({k: v.detach().contiguous().clone() for k, v in model.state_dict().items()}, weights)
    spec = without_download(card.model)
    card = replace(card, model=spec, sha256=sha256(weights), megabytes=weights.stat().st_size / 1e6)
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
    return evaluated(model), card


def prune_again(model: nn.Module, shape: Input, history: list[Any]) -> None:
    """Prune a model as it was pruned before.

    Args:
        model: the model, which is changed.
        shape: the shape of its inputs.
        history: the steps that a compression has returned; an empty list changes nothing.
    """
    if history:
        from breakeven.artifacts.pruning_library import torch_pruning

        with torch.enable_grad():  # it follows the graph by autograd
            graph = torch_pruning.DependencyGraph().build_dependency(model, example_inputs=shape.example())
        graph.load_pruning_history(history)
        forget_history(model)


def load_tensors(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Load weights into `model` by name.

    Some modules refuse weights without a version, for example torchvision's MNASNet. If `tensors` has no
    versions (torch's `_metadata`), they get the versions of the model's own modules.
    """
    state: Any = OrderedDict(tensors)
    model_state: Any = model.state_dict()
    state._metadata = getattr(tensors, "_metadata", model_state._metadata)
    model.load_state_dict(state)


def _fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc']))}={fault['input']}: {fault['msg'].lower()}."
    sentence = f"{(str(error).splitlines() or [''])[0].rstrip('.')}."
    usual = isinstance(error, TypeError | ValueError | RuntimeError)  # their messages are sentences
    return (
        sentence if usual and sentence != "." else f"{type(error).__name__}: {sentence}".replace(": .", ".")
    )


def _signature(constructor: Any) -> str:
    try:
        return ", ".join(map(str, inspect.signature(constructor).parameters))
    except (TypeError, ValueError):
        return "unknown"
