"""An ONNX file without what only people read: some 5 kB of a small int8 network's 27 to 81."""

from collections.abc import Iterator
from itertools import count, product
from string import ascii_letters
from typing import Any


def strip_names(model: Any) -> None:
    """Drop noted types, comments and equal constants of an `onnx_ir.Model`, and shorten all inner names.

    What it computes stays as it is.
    """
    import onnx_ir
    from onnx_ir.passes import common

    onnx_ir.passes.Sequential(
        common.ClearMetadataAndDocStringPass(),
        common.DeduplicateInitializersPass(),  # zero points, mostly
        common.RemoveUnusedOpsetsPass(),
    )(model)
    model.metadata_props.clear()
    model.doc_string = None
    nodes = list(onnx_ir.traversal.RecursiveGraphIterator(model.graph))
    for node in nodes:
        node.name = ""
    graphs = list(model.graphs())
    ends = {id(value): value.name for graph in graphs for value in graph.inputs}
    ends |= {id(value): value.name for value in model.graph.outputs}
    inner = [value for graph in graphs for value in graph.initializers.values()]
    inner += [value for node in nodes for value in node.outputs]
    inner = [value for value in inner if id(value) not in ends and value.name]
    for number, value in enumerate(inner):
        value.name = f"to be renamed, {number}"  # so that no short name is still another one's
    names = _names(set(ends.values()))
    for value in inner:
        value.name = next(names)
        value.type = value.shape = value.doc_string = None
        value.metadata_props.clear()


def _names(taken: set[str]) -> Iterator[str]:
    """a, b, ..., aa, ab, ..., but for those that are taken."""
    for size in count(1):
        for letters in product(ascii_letters, repeat=size):
            if (name := "".join(letters)) not in taken:
                yield name
