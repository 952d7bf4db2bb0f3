"""The operator, layer or function that a toolchain was at when it raised an exception."""

import types
from collections.abc import Iterator
from typing import Any


def culprit(error: BaseException) -> str:
    """Return what the innermost code had in hand; "" if nothing there has a name.

    The name is that of a node of a graph, or else of the function whose source is missing, or of the layer
    whose code ran. Toolchains are recognized by their types' names: importing them takes seconds.
    """
    values = list(_values(error))
    for find in (_node, _function, _layer):
        for name, value in values:
            if told := find(name, value):
                return told
    return ""


def _values(error: BaseException) -> Iterator[tuple[str, Any]]:
    """Yield the local variables of an exception's frames, the innermost frame first."""
    frames = []
    trace = error.__traceback__
    while trace:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    for frame in reversed(frames):
        yield from frame.f_locals.items()


def _node(name: str, value: Any) -> str:
    """Return the operator of a node of a graph, or of the node that an object works on."""
    if name == "self":
        value = vars(value).get("node") if hasattr(value, "__dict__") else None
    kind = f"{type(value).__module__}.{type(value).__name__}"
    if kind.endswith(".NodeProto"):
        return str(value.op_type)
    if kind == "torch.fx.node.Node" and value.op not in ("placeholder", "output", "get_attr"):
        return str(value.target)
    return ""


def _function(name: str, value: Any) -> str:
    """Return the name of a function that a tool was asked to read."""
    kinds = (types.FunctionType, types.MethodType)
    return value.__qualname__ if name in ("fn", "obj", "object") and isinstance(value, kinds) else ""


def _layer(name: str, value: Any) -> str:
    """Return the class of a layer whose own code ran."""
    layers = any(kind.__module__ == "torch.nn.modules.module" for kind in type(value).__mro__[:-1])
    return type(value).__name__ if name == "self" and layers else ""
