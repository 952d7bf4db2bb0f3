"""The source of a model."""

import ast
import contextlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from breakeven.core.errors import UserError
from breakeven.core.files import sha256

# What a training depends on beside the model is named in dvc.yaml.
OWN = ("breakeven.plugins.models", "breakeven.model")


def source(target: str) -> dict[str, str]:
    """What stands for the source of the constructor `target`, found without the cost of importing it.

    So that an edit of a model trains it again, and an edit of another one does not. Models of this package
    and the user's own modules stand there with their sha256, and so do those that they import; installed
    packages with their version. Nothing for what does not exist, which a later stage says in a sentence.

    Raises:
        UserError: a file is no Python.
    """
    return {
        module: _version(module.partition(".")[0]) if _is_installed(path) else sha256(path)
        for module, path in _reached(target).items()
    }


def own(settings: Any) -> dict[str, str]:
    """What stands for the source of the user's own options: those whose `name`, anywhere in it, has a dot."""
    found: dict[str, str] = {}
    if isinstance(settings, Mapping):
        name = settings.get("name")
        if isinstance(name, str) and "." in name:
            found |= source(name)
        settings = list(settings.values())
    if isinstance(settings, list):
        for each in settings:
            found |= own(each)
    return found


@cache
def packages(target: str) -> tuple[str, ...]:
    """The installed packages that importing the constructor `target` surely imports."""
    with contextlib.suppress(UserError):  # which the import itself will tell
        return tuple(name for name, path in _reached(target, _at_once).items() if _is_installed(path))
    return ()


def _reached(target: str, nodes: Callable[[ast.Module], Iterable[ast.AST]] = ast.walk) -> dict[str, Path]:
    """The modules that `target` lies in, and that those import; an installed package is one.

    Args:
        nodes: those of a file that are looked at.
    """
    found: dict[str, Path] = {}
    todo = [target.replace(":", ".")]
    while todo:
        module, path = _locate(todo.pop())
        if module in found or path is None:
            continue
        found[module] = path
        if not _is_installed(path):
            tree = _parse(path)
            todo += _imports(nodes(tree), module if path.stem == "__init__" else module.rpartition(".")[0])
    return dict(sorted(found.items()))


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        raise UserError(f"{path}, line {error.lineno}: {error.msg}: Python cannot read it.") from None


def _is_installed(path: Path) -> bool:
    return "-packages" in str(path.parent)


def _locate(name: str) -> tuple[str, Path | None]:
    """The longest part of a dotted name that is a module, and its file, if its source is to be noted."""
    top, *rest = name.split(".")
    if top in sys.stdlib_module_names or not top or (top == "breakeven" and not name.startswith(OWN)):
        return name, None
    spec = importlib.util.find_spec(top)
    if spec is None:
        return name, None
    module, file = top, Path(spec.origin) if spec.origin else None
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if file and _is_installed(file):
        return top, file
    for part in rest:
        candidates = [
            path for folder in folders for path in (folder / part / "__init__.py", folder / f"{part}.py")
        ]
        folders = [folder / part for folder in folders if (folder / part).is_dir()]
        inner = next((path for path in candidates if path.is_file()), None)
        if inner is None and not folders:
            break
        module, file = f"{module}.{part}", inner
    return module, file


def _at_once(tree: ast.Module) -> Iterable[ast.AST]:
    """The statements of a file's own body: what a function, a branch or a `try` imports may never be."""
    return tree.body


def _imports(nodes: Iterable[ast.AST], package: str) -> Iterator[str]:
    """The dotted names that nodes of a file import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{start}.{alias.name}" for alias in node.names)


def _version(package: str) -> str:
    with contextlib.suppress(metadata.PackageNotFoundError):  # most are called as their package: no search
        return metadata.version(package)
    return ", ".join(metadata.version(name) for name in _distributions().get(package, []))


_distributions = cache(metadata.packages_distributions)  # reads the list of files of all that is installed
