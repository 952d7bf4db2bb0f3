"""Plugins: an option of a group (a dataset, a runtime, ...) is one Python file, found by its name."""

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, ClassVar, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from breakeven.core import interrupts
from breakeven.core.errors import UserError
from breakeven.core.import_errors import import_fault

SAME_BEGINNING = 3  # letters that a misspelt name usually has right
MANDATORY_MESSAGE = "{key} is mandatory and not set: give it a value with `breakeven compose {key}=VALUE`."
S = TypeVar("S", bound="StrictModel")


class StrictModel(BaseModel):
    """Frozen settings that refuse unknown keys, NaN and infinity."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, protected_namespaces=()
    )


class Plugin(StrictModel):
    """The settings of one option; `name` is the module that implements it.

    A name without a dot is a module of the group's package. A name with a dot is a module of the user's own.
    """

    name: str


def names(group: str) -> list[str]:
    """Return the options of a group: the public modules of `breakeven.plugins.<group>`, except `base`."""
    return [name for name in module_names(f"breakeven.plugins.{group}") if name != "base"]


def module_names(package: str) -> list[str]:
    """Return the names of a package's public modules."""
    modules = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return sorted(module.name for module in modules if not module.name.startswith("_"))


def only_object(package: str, name: str, what: str) -> Any:
    """Return an object of the only class that a module of a package defines.

    Args:
        name: of the module.
        what: the module is, for messages.

    Raises:
        UserError: the package has no such module.
    """
    if name not in (known := module_names(package)):
        raise UserError(f"the {what} {name!r} is {did_you_mean(name, known)}")
    module = importlib.import_module(f"{package}.{name}")
    (found,) = (each for each in vars(module).values() if _is_class_of(each, module))
    return found()


def _is_class_of(value: Any, module: ModuleType) -> bool:
    return isinstance(value, type) and value.__module__ == module.__name__


def load(group: str, settings: Mapping[str, Any], dotted_key: str) -> Any:
    """Return the option that `settings["name"]` names, with its settings checked.

    Args:
        group: the package below `breakeven.plugins`, for example "runtimes".
        settings: the option's section of the configuration.
        dotted_key: the dotted key of that section, for messages.

    Raises:
        UserError: as of `find`; or a key is unknown, or a value has a wrong type or is out of range. There is
            a line for each fault.
    """
    return check(find(group, settings, dotted_key), settings, dotted_key)


def find(group: str, settings: Mapping[str, Any], dotted_key: str) -> type["Plugin"]:
    """Return the class of the option that `settings["name"]` names.

    Args:
        group: the package below `breakeven.plugins`, for example "runtimes".
        settings: the option's section of the configuration.
        dotted_key: the dotted key of that section, for messages.

    Raises:
        UserError: the name is unknown; its module cannot be imported, or does not define exactly one option
            of this group; or the option lacks a method.
    """
    name = str(settings.get("name"))
    key = f"{dotted_key}.name={name}"
    if "." not in name and name not in (known := names(group)):
        raise UserError(f"{key}: {did_you_mean(name, known)}")
    module = _import(name if "." in name else f"breakeven.plugins.{group}.{name}", key)
    base = importlib.import_module(f"breakeven.plugins.{group}.base")
    interface = next(each for each in _defined_in(base, Plugin) if Plugin in each.__bases__)
    options = _defined_in(module, Plugin)
    if len(options) != 1:
        raise UserError(f"{key}: its module should define one option, not {len(options)}.")
    (option,) = options
    if not issubclass(option, interface):
        raise UserError(f"{key}: {option.__name__} should inherit {base.__name__}.{interface.__name__}.")
    if missing := sorted({*getattr(option, "__abstractmethods__", ()), *_unset(option, interface)}):
        raise UserError(f"{key}: {option.__name__} does not define {', '.join(missing)}.")
    return option


def _unset(option: type[Plugin], interface: type[Plugin]) -> list[str]:
    """Return the class variables that the interface names without a value, and that the option lacks."""
    class_variable: Any = ClassVar
    named = inspect.get_annotations(interface).items()
    return [name for name, kind in named if get_origin(kind) is class_variable and not hasattr(option, name)]


def _import(module: str, key: str) -> ModuleType:
    """Import an option's module; its own faults become one sentence, since a user can have written it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = str(error.name)
        remedy = (
            "put it beside dvc.yaml or into a folder of PYTHONPATH"
            if f"{module}.".startswith(f"{missing}.")
            else "install it"
        )
        raise UserError(f"{key}: cannot be imported ({error}): {remedy}.") from None
    except interrupts.Terminated:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"{key}: {import_fault(error)}.") from None


def _defined_in(module: ModuleType, base: type["Plugin"]) -> list[type["Plugin"]]:
    """Return the subclasses of `base` that a module defines itself."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]


def check(model: type[S], settings: Mapping[str, Any], dotted_key: str = "") -> S:
    """Return `settings` as an instance of `model`.

    Args:
        model: the class that checks them.
        settings: the values by key.
        dotted_key: the dotted key of the settings, for messages.

    Raises:
        UserError: a line for each fault: the key, its value, what is allowed, and the nearest valid name.
    """
    try:
        return model.model_validate(settings)
    except ValidationError as error:
        raise UserError("\n".join(_sentences(error, model, dotted_key))) from None
    except UserError:
        raise
    except Exception as error:  # of an option's own check, which a user can have written
        reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".: ")
        raise UserError(f"{dotted_key or model.__name__}: its check failed: {reason}.") from None


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return the end of a message: the name in `allowed` nearest to `name`, if any is near, and all names."""
    allowed = list(allowed)
    near = difflib.get_close_matches(name, allowed, n=3, cutoff=0.5)
    near.sort(key=lambda each: each[:SAME_BEGINNING] != name[:SAME_BEGINNING])  # else the nearest comes first
    question = f"; did you mean {near[0]!r}?" if near else "."
    return f"unknown{question} Allowed: {', '.join(allowed) or 'nothing'}."


def _sentences(error: ValidationError, model: type[BaseModel], dotted_key: str) -> Iterable[str]:
    for fault in error.errors(include_url=False):
        loc = [str(part) for part in fault["loc"]]
        key = ".".join([*([dotted_key] if dotted_key else []), *loc])
        if fault["type"] == "extra_forbidden":
            allowed = _fields(model, loc[:-1])
            yield f"{key}={fault['input']}: the key {loc[-1]!r} is {did_you_mean(loc[-1], allowed)}"
        elif fault["type"] == "missing":
            # A dotted_key without a dot belongs to no study but to a call of the library.
            in_study = not dotted_key or "." in dotted_key
            yield MANDATORY_MESSAGE.format(key=key) if in_study else f"{key} is missing: give it a value."
        else:
            rule = fault["msg"].removeprefix("Value error, ")
            yield f"{key}={fault['input']}: {rule[0].lower()}{rule[1:]}."


def _fields(model: type[BaseModel], loc: list[str]) -> list[str]:
    """Return the keys that are valid at `loc` within `model`."""
    for part in loc:
        field = model.model_fields.get(part)
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())] if field else [model]
        model = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), model)
    return list(model.model_fields)
