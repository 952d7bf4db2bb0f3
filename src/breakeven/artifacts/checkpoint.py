"""A user's own weights: the state dict in a checkpoint is found, its names are fitted, and it is loaded."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from breakeven.artifacts.checkpoint_file import read_checkpoint
from breakeven.artifacts.saved_model import load_tensors
from breakeven.core.errors import UserError

Place = tuple[str, ...]  # the keys that lead to a state dict

DEPTH = 3  # wrappers around a state dict, at most
SHOWN = 4  # names in a message
MAX_ERROR_LENGTH = 400  # characters of an error in a message, at most
# Parts of names that torch's own wrappers put anywhere in a name -> what stands there without them
WRAPPED = {
    "_orig_mod.": "",
    "_fsdp_wrapped_module.": "",
    "_checkpoint_wrapped_module.": "",
    ".module.": ".",  # DataParallel of a part of the model
}
# Keys and beginnings of names under which scripts save the weights themselves, not an average or a teacher
USUAL = {"", "state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params"}
# What a model before torch 0.4.1 has not saved; torch's own load_state_dict does not ask for it either
OPTIONAL = "num_batches_tracked"


@dataclass(frozen=True)
class WeightSet:
    """One set of weights in a checkpoint."""

    place: Place
    prefix: str  # what all its names begin with, beyond the model's names
    tensors: dict[str, Tensor]  # without the prefix
    left_out: list[str]  # the names that do not begin with the prefix
    fitting: tuple[int, int]  # how many have name and shape of one of the model's, and how many have the name

    @property
    def title(self) -> str:
        """Return the keys that lead to the set, and its prefix."""
        return "/".join([*self.place, *([f"{self.prefix}*"] if self.prefix else [])]) or "the file itself"

    @property
    def usual(self) -> bool:
        """Return whether it has a usual name of the weights themselves."""
        return {*self.place, *self.prefix.rstrip(".").split(".")} <= USUAL


def load_pretrained(path: Path, model: nn.Module) -> str:
    """Load the weights that a training begins with into `model`; return what was loaded, and what was not.

    Layers whose size depends on the classes, as the head's, keep the weights of their constructor.

    Raises:
        UserError: the file cannot be read, or is of another model: not even half of its tensors fit.
    """
    own = model.state_dict()
    given = _chosen_set(path, own, "pretrained").tensors
    fitting = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    wanted = [name for name in own if not name.endswith(OPTIONAL)]
    anew = [name for name in wanted if name not in fitting]
    if 2 * len(anew) > len(wanted):
        raise UserError(
            f"pretrained={path}: is of another model: {len(wanted) - len(anew)} of {len(wanted)} tensors "
            f"have name and shape, and the first without is {anew[0]}."
        )
    load_tensors(model, {**own, **fitting})
    if name := first_not_finite(model):
        raise UserError(f"pretrained={path}: its weights are not finite ({name}): its training diverged.")
    sizes = [f"{name} ({_size(own[name])} instead of {_size(given[name])})" for name in anew if name in given]
    absent = [name for name in anew if name not in given]
    rest = f"; drawn anew: {', '.join([*sizes, *absent][:SHOWN])}" if anew else ""
    more = f" and {len(anew) - SHOWN} more" if len(anew) > SHOWN else ""
    foreign = [name for name in given if name not in own]
    unused = f"; not used: {', '.join(foreign[:SHOWN])}" if foreign else ""
    return f"begins with {len(wanted) - len(anew)} of {len(wanted)} tensors of {path}{rest}{more}{unused}"


def _size(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape))


def load_checkpoint(path: Path, model: nn.Module) -> None:
    """Load a user's own weights into `model`, from any form in which training scripts save them.

    Raises:
        UserError: the file cannot be read, does not fit the model, holds several sets of weights of which
            none has a usual name, or weights that are not finite.
    """
    own = model.state_dict()
    chosen = _chosen_set(path, own, "checkpoint")
    try:
        load_tensors(model, {n: v for n, v in own.items() if n.endswith(OPTIONAL)} | chosen.tensors)
    except RuntimeError as error:
        reason = _misfit(error, chosen.tensors, own)
        raise UserError(f"checkpoint={path}: does not fit the model: {reason}.") from None
    if name := first_not_finite(model):
        raise UserError(f"checkpoint={path}: its weights are not finite ({name}): its training diverged.")
    if rest := chosen.left_out:
        text = f"{len(rest)} tensors are not the model's and are left out, the first is {rest[0]}"
        print(f"checkpoint={path}: {text}", file=sys.stderr)


def _chosen_set(path: Path, own: Mapping[str, Tensor], key: str) -> WeightSet:
    """Read a file, and return the weights in it that fit best.

    Raises:
        UserError: it cannot be read, or holds no weights, or several sets that fit.
    """
    content = read_checkpoint(path)
    sets = [each for place, tensors in _state_dicts(content) for each in _fitted(place, tensors, own)]
    if not sets:
        raise UserError(f"{key}={path}: holds no tensors by name, only a {type(content).__name__}.")
    return _choose(path, sets, key)


def first_not_finite(model: nn.Module) -> str | None:
    """Return the name of a weight or a running statistic that is not finite; None if there is none.

    Other buffers may be infinite: masks, and observers of a layer that was never called. None may be NaN.
    """
    buffers = dict(model.named_buffers())
    for name, value in {**dict(model.named_parameters()), **buffers}.items():
        may_be_infinite = name in buffers and "running_" not in name
        if (value.isnan() if may_be_infinite else ~value.isfinite()).any():
            return name
    return None


def _state_dicts(content: Any, place: Place = ()) -> Iterator[tuple[Place, dict[str, Tensor]]]:
    """Yield every mapping of names to tensors, with the keys that lead to it; the outermost first."""
    if not isinstance(content, Mapping) or len(place) > DEPTH:
        return
    named = {key: value for key, value in content.items() if isinstance(key, str)}
    if tensors := {key: value for key, value in named.items() if isinstance(value, Tensor)}:
        yield place, tensors
    for key, value in named.items():
        yield from _state_dicts(value, (*place, key))


def _fitted(place: Place, tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> Iterator[WeightSet]:
    """Yield the weights without each prefix that leaves names of the model, or all as they are."""
    for part, rest in WRAPPED.items():
        if not any(part in name for name in own):
            tensors = {name.replace(part, rest): value for name, value in tensors.items()}
    named: Counter[str] = Counter()
    shaped: Counter[str] = Counter()
    for name, value in tensors.items():
        for rest in _endings(name):
            if rest in own:
                prefix = name.removesuffix(rest)
                named[prefix] += 1
                shaped[prefix] += own[rest].shape == value.shape
    for prefix in named or [""]:
        inside = {name.removeprefix(prefix): v for name, v in tensors.items() if name.startswith(prefix)}
        left_out = [name for name in tensors if not name.startswith(prefix)]
        yield WeightSet(place, prefix, inside, left_out, (shaped[prefix], named[prefix]))


def _endings(name: str) -> Iterator[str]:
    """Yield the name, and what follows each of its dots."""
    parts = name.split(".")
    for start in range(len(parts)):
        yield ".".join(parts[start:])


def _choose(path: Path, sets: list[WeightSet], key: str) -> WeightSet:
    """Return the set that fits best.

    Raises:
        UserError: several sets fit equally well, and none has a usual name.
    """
    most = max(each.fitting for each in sets)
    equal = [each for each in sets if each.fitting == most]
    equal.sort(key=lambda each: not each.usual)  # stable: the first of the usual ones comes first
    chosen = equal[0]
    others = [each for each in equal[1:] if any(most) and not _same(each, chosen)]
    if others and (not chosen.usual or others[0].usual):
        raise UserError(
            f"{key}={path}: holds several sets of weights that fit: "
            f"{', '.join(each.title for each in [chosen, *others][:4])}. Save the one that you mean alone."
        )
    if others:
        print(
            f"{key}={path}: {chosen.title} is loaded; {others[0].title} would fit, too. To use that, "
            f"save it alone.",
            file=sys.stderr,
        )
    return chosen


def _same(one: WeightSet, other: WeightSet) -> bool:
    return one.tensors.keys() == other.tensors.keys() and all(
        torch.equal(value, other.tensors[name]) for name, value in one.tensors.items()
    )


def _misfit(error: Exception, tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> str:
    """Return how the names or the shapes differ, by the first few."""
    missing = [name for name in own if name not in tensors and not name.endswith(OPTIONAL)]
    foreign = [name for name in tensors if name not in own]
    if foreign and not own.keys() & tensors.keys():
        return f"its names begin with {foreign[0]}, the model's with {missing[0]}"
    texts = []
    if missing:
        texts.append(f"{len(missing)} of the model's {len(own)} tensors are missing, first {missing[0]}")
    if foreign:
        texts.append(f"{len(foreign)} of its tensors are not the model's, first {foreign[0]}")
    lines = [line.strip() for line in str(error).splitlines()]  # a list of torch's
    return "; ".join(texts) or " ".join(lines[1:2])[:MAX_ERROR_LENGTH].rstrip(".")
