"""The keys that may be set at a place of the configuration, whether a file in `conf/` sets them or not."""

import inspect
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from breakeven.config.sections import Export, Family, Measure, Recommend, Server, Steps, Varying
from breakeven.config.study import OPTION_GROUPS, Study
from breakeven.config.training import TrainingConfig
from breakeven.core import plugin
from breakeven.core.errors import UserError

SECTIONS: dict[tuple[str, ...], type[BaseModel]] = {
    (): Study,
    ("export",): Export,
    ("measure",): Measure,
    ("measure", "server"): Server,
    ("recommend",): Recommend,
}
ANY = "*"  # stands for all further keys


def allowed_keys(settings: Mapping[str, Any], place: Sequence[str]) -> list[str]:
    """Return the keys that the schema or an option allows at a place; none where it allows no keys.

    The list ends with `ANY` if the constructor of a model takes any argument, or a user chooses the names.

    Args:
        settings: a study, or a sweep's job, as it is composed.
        place: the parts of a dotted key, such as ["families", "cnn", "train"].
    """
    if tuple(place) in SECTIONS:
        return list(SECTIONS[tuple(place)].model_fields)
    if (inside := _in_family(place)) is not None:
        return _of_family(inside, _node(settings, place))
    if len(place) == 2 and place[0] in (*OPTION_GROUPS, "compressions"):
        return _of_option(place, _node(settings, place))
    return []


def _in_family(place: Sequence[str]) -> list[str] | None:
    """Return the rest of a place within a family; None if the place is in no family."""
    if place[:1] == ["family"]:  # of a sweep's job
        return list(place[1:])
    return list(place[2:]) if place[:1] == ["families"] and len(place) > 1 else None


def _of_family(inside: Sequence[str], settings: Mapping[str, Any]) -> list[str]:
    """Return the keys that are allowed in a family, or in a section of it."""
    match inside:
        case []:
            return list(Family.model_fields)
        case ["train"]:
            return list(TrainingConfig.model_fields)
        case ["varying"]:
            return [ANY]
        case ["varying", _]:
            return list(Varying.model_fields)
        case ["model"]:
            return _arguments(settings)
    return []


def _of_option(place: Sequence[str], settings: Mapping[str, Any]) -> list[str]:
    if "steps" in settings:
        return list(Steps.model_fields)
    group = OPTION_GROUPS.get(place[0], "compression")
    try:
        return list(plugin.find(group, settings, ".".join(place)).model_fields)
    except UserError:  # its name is wrong, which will be said
        return []


def _arguments(spec: Mapping[str, Any]) -> list[str]:
    """Return the arguments of a model's constructor, and the keys that belong to the model itself."""
    own = ["_target_", "_inputs_", "_output_"]
    try:
        parameters: Iterable[inspect.Parameter] = inspect.signature(
            pkgutil.resolve_name(str(spec.get("_target_")))
        ).parameters.values()
    except Exception:  # whatever a user's module does when it is imported; the stage check_params says it
        return own
    named = [each.name for each in parameters if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
    return [*own, *named, *([ANY] if any(each.kind == each.VAR_KEYWORD for each in parameters) else [])]


def _node(settings: Mapping[str, Any], place: Sequence[str]) -> Mapping[str, Any]:
    node: Any = settings
    for part in place:
        node = node.get(part) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}
