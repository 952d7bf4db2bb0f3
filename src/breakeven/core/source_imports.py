"""The names of other modules and of folders in a Python file."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PACKAGE = "breakeven"
DATA_FOLDERS = ("cpp", "templates")  # files in them are read as data by the modules that name the folder


@dataclass(frozen=True)
class References:
    """What a file refers to."""

    imports: list[str]  # dotted names; a relative one begins with dots
    top_level: list[str]  # those imports that are surely executed: neither in a function nor in a branch
    modules: list[str]  # strings that may name something in the package, for a process or a loader
    folders: list[str]  # of DATA_FOLDERS


def find_references(tree: ast.Module) -> References:
    """Return the names in a Python file."""
    nodes = list(_executed(tree))
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return References(
        sorted({*_imports(nodes)}),
        sorted({*_imports(tree.body)}),
        sorted(text for text in strings if text.startswith(f"{PACKAGE}.") and text.isprintable()),
        sorted(strings & {*DATA_FOLDERS}),
    )


def absolute_name(name: str, package: str) -> str:
    """Return the dotted name that an import means in a module of `package`."""
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    parents = package.split(".")
    return ".".join([*parents[: len(parents) - level + 1], name[level:]])


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those that only type checkers read."""
    nodes: list[ast.AST] = [tree]
    while nodes:
        node = nodes.pop()
        yield node
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            nodes += node.orelse
        else:
            nodes += ast.iter_child_nodes(node)


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (f"{node.module}." if node.module else "")
            yield from (start + alias.name for alias in node.names)
