"""The names of other modules and of folders in a Python file."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

PACKAGE = "breakeven"
DATA_FOLDERS = ("cpp", "templates")  # the modules that name a folder read its files as data
# Functions that import a module by its name, as registries of models do
IMPORTERS = {
    *("import_module", "__import__", "iter_modules", "walk_packages", "spec_from_file_location"),
    *("resolve_name", "locate", "get_class", "get_method", "get_object", "instantiate", "run_path", "exec"),
}


@dataclass(frozen=True)
class References:
    """The modules and folders that a file refers to."""

    imports: list[str]  # dotted names; a relative one begins with dots
    top_level: list[str]  # imports that are always executed: neither in a function nor in a branch
    modules: list[str]  # strings that may name a module of the package, which a process or a loader imports
    folders: list[str]  # of DATA_FOLDERS
    imports_by_name: bool = False  # whether it uses one of IMPORTERS
    names: list[str] = field(default_factory=list)  # if so: its strings that may name or begin a module


def find_references(tree: ast.Module) -> References:
    """Return the modules and folders that a Python file refers to."""
    nodes = list(_executed(tree))
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    by_name = any(
        isinstance(node, ast.Name | ast.Attribute | ast.alias) and _last_name(node) in IMPORTERS
        for node in nodes
    )
    dotted = (text.strip(".") for text in strings if by_name)
    return References(
        sorted({*_imports(nodes)}),
        sorted({*_imports(tree.body)}),
        sorted(text for text in strings if text.startswith(f"{PACKAGE}.") and text.isprintable()),
        sorted(strings & {*DATA_FOLDERS}),
        by_name,
        sorted({text for text in dotted if all(part.isidentifier() for part in text.split("."))}),
    )


def _last_name(node: ast.Name | ast.Attribute | ast.alias) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else node.name.rpartition(".")[2]


def absolute_name(name: str, package: str) -> str:
    """Return the absolute dotted name of an import, which may be relative, in a module of `package`."""
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    parents = package.split(".")
    return ".".join([*parents[: len(parents) - level + 1], name[level:]])


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes, except those in `if TYPE_CHECKING`."""
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
