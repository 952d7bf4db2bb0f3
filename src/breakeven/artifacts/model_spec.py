"""The section `model` of a family: which constructor it names, and what the constructor is given."""

import inspect
import sys
from collections.abc import Mapping
from typing import Any

from torch import nn

from breakeven.core.errors import UserError

INPUTS = {"in_channels": "channels", "num_classes": "classes"}  # of constructors, by default


def inputs_of(spec: Mapping[str, Any], facts: Mapping[str, int], place: str) -> dict[str, str]:
    """Return which argument of the constructor takes which fact of the dataset.

    Raises:
        UserError: there is no such fact.
    """
    inputs: dict[str, str] = spec.get("_inputs_", INPUTS)
    if odd := [fact for fact in inputs.values() if fact not in facts]:
        raise UserError(f"{place}._inputs_: {odd[0]!r} is not one of {', '.join(facts)}.")
    return inputs


def arguments_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the constructor that the section itself sets."""
    return {key: value for key, value in spec.items() if key not in ("_target_", "_inputs_", "_output_")}


def require_constructor(target: str, named: Any, place: str) -> None:
    """Refuse, before it is called, what cannot give a module: `os.system` would be executed.

    Raises:
        UserError: it is no class of modules, and no function of a library for models.
    """
    origin = str(getattr(named, "__module__", None) or type(named).__module__).partition(".")[0]
    if isinstance(named, type):
        gives = issubclass(named, nn.Module)
    else:
        gives = callable(named) and not inspect.isbuiltin(named) and origin not in sys.stdlib_module_names
    if not gives:
        raise UserError(
            f"{place}._target_={target}: is not a torch.nn.Module, nor a function of a library that returns "
            f"one, and is not called: name one of these."
        )


def without_download(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return `spec` as a model is constructed whose weights are on disk: without pretrained ones.

    Otherwise every process that loads the model would fetch weights, only to replace them.
    """
    off: dict[str, Any] = {
        key: False for key in ("pretrained", "pretrained_backbone") if isinstance(spec.get(key), bool)
    }
    if str(spec.get("_target_")).startswith("torchvision."):
        off |= {key: None for key in ("weights", "weights_backbone") if spec.get(key) is not None}
    return {**spec, **off}
