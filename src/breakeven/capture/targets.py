"""What people name as a model to capture: a family of the study, a class of their own, or a collection."""

import importlib
import inspect
import pkgutil
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from breakeven.artifacts.family_example import family_example, require_trained
from breakeven.capture.example import Example
from breakeven.capture.study import Target
from breakeven.core.errors import UserError
from breakeven.core.named_function import named_function
from breakeven.core.source_digest import digests_of_modules

SAMPLES = 2  # of a family's test data, as the example
IDIOMS = "breakeven.capture.idioms"
NO_EXAMPLE = "say what it is called with: --shape 2,3,32,32 for random numbers, or --example MODULE:FUNCTION"


def idioms(attribute: str = "Model") -> list[Target]:
    """Return all idioms as they are usually written, or their rewrites."""
    package = importlib.import_module(IDIOMS)
    found = []
    for file in pkgutil.iter_modules(package.__path__):
        name = f"{IDIOMS}.{file.name}"
        idiom = importlib.import_module(name)
        if hasattr(idiom, attribute):
            version = f"{digests_of_modules([name])[name]} {attribute}"
            make, advice = partial(of_idiom, name, attribute), getattr(idiom, "ADVICE", "")
            found.append(Target(file.name, make, version, advice))
    return found


def rewrites() -> list[Target]:
    """Return the rewrites of all idioms that have one."""
    return idioms("Rewrite")


def of_idiom(module: str, attribute: str) -> tuple[nn.Module, Example]:
    """Return an idiom's model, or its rewrite, with its example."""
    idiom = importlib.import_module(module)
    return getattr(idiom, attribute)(), Example.of(idiom.example())


def torch_examples() -> list[Target]:
    """Return the cases that torch.export's own tests keep, as `torch._export.db`."""
    return [Target(name, partial(of_torch, name), "a case of torch") for name in sorted(_cases())]


def of_torch(name: str) -> tuple[nn.Module, Example]:
    """Return a case of `torch._export.db` with its example."""
    case = _cases()[name]
    return case.model, Example(tuple(case.example_args), dict(case.example_kwargs))


def said_of_torch_examples() -> dict[str, str]:
    """Return what torch says of each of its cases: "supported", or "not supported yet"."""
    return {name: case.support_level.name.lower().replace("_", " ") for name, case in _cases().items()}


def _cases() -> dict[str, Any]:
    from torch._export.db import examples

    cases: Any = examples.all_examples
    found: dict[str, Any] = cases()
    return found


def family(name: str, data: str) -> Target:
    """Return the trained model of a family, with the first samples of its test data as the example.

    Raises:
        UserError: it is not trained yet.
    """
    require_trained(name)
    return Target(name, partial(of_family, name, data))


def of_family(name: str, data: str) -> tuple[nn.Module, Example]:
    """Return the trained model of a family with its example."""
    model, inputs = family_example(name, data, SAMPLES)
    return model, Example(inputs)


def own(name: str, shapes: Sequence[Sequence[int]], example: str | None) -> Target:
    """Return a model of the user's own.

    Args:
        name: MODULE:CLASS, or MODULE:FUNCTION that returns a model; called without arguments.
        shapes: of inputs that are filled with random numbers; empty if `example` is given.
        example: MODULE:FUNCTION that returns the inputs.

    Raises:
        UserError: it cannot be imported or called, or nobody says what it is called with.
    """
    construct = named_function(name, "TARGET")
    if needed := _needed(construct):
        raise UserError(
            f"{name} needs arguments ({', '.join(needed)}): write a function without arguments that "
            "returns the model, and name it instead."
        )
    if not shapes and example is None:
        raise UserError(f"{name}: {NO_EXAMPLE}.")
    if example is not None:
        named_function(example, "--example")
    return Target(name, partial(of_own, name, [tuple(shape) for shape in shapes], example))


def of_own(name: str, shapes: Sequence[Sequence[int]], example: str | None) -> tuple[nn.Module, Example]:
    """Return a model of the user's own with its example."""
    model: Any = named_function(name, "TARGET")()
    if not isinstance(model, nn.Module):
        raise UserError(f"{name} returns a {type(model).__name__}, not a torch.nn.Module.")
    if example is not None:
        return model, Example.of(named_function(example, "--example")())
    return model, Example(tuple(torch.randn(*shape) for shape in shapes))


def _needed(construct: Any) -> list[str]:
    """Return the arguments that a constructor cannot do without."""
    try:
        parameters = inspect.signature(construct).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in parameters if each.default is each.empty and each.kind not in kinds]
