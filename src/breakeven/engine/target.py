"""The variants of a run before a worker loads them: artifact folders, or callables to find."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from breakeven.plugins.runtimes.base import Runtime


@dataclass(frozen=True)
class CallTarget:
    """A factory or a callable that each worker process loads for itself.

    Attributes:
        kind: how to find it: import a module, execute a file, or read a pickle.
        source: the module's name, or the path of the file or pickle.
        name: the attribute to take from the module or the file, possibly dotted.
        direct: time the object itself. Otherwise the worker calls it once and times the returned callable.
        paths: folders to put first on `sys.path`.
        within: refuse a module that Python loads from outside this folder; "" accepts any.
        inputs: the path of a pickle that holds the positional arguments of each call.
        preload: libraries that the fork server imports before it forks the worker.
    """

    kind: Literal["import", "file", "pickle"]
    source: str
    name: str = ""
    direct: bool = False
    paths: Sequence[str] = field(default=())
    within: str = ""
    inputs: str = ""
    preload: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "a callable" if self.kind == "pickle" else f"{self.source}:{self.name}"


Variant = Path | CallTarget  # a Path is the folder of an artifact


def worker_spec(variant: Variant) -> dict[str, Any]:
    """Return the description of `variant` that a worker loads it from, as values that JSON can hold."""
    if isinstance(variant, CallTarget):
        return asdict(variant)
    return {"kind": "artifact", "folder": str(variant)}


def server_modules(variant: Variant) -> tuple[str, ...]:
    """Return the modules that `variant` needs before its worker is forked, the largest library first."""
    if isinstance(variant, CallTarget):
        return ("breakeven.engine.call_loader", *variant.preload)
    from breakeven.artifacts import artifact
    from breakeven.core import plugin

    card = artifact.read(variant)
    runtime = plugin.load("runtimes", card.settings, f"runtimes.{card.runtime}")
    return artifact_modules(runtime, variant)


def artifact_modules(runtime: "Runtime", folder: Path) -> tuple[str, ...]:
    """Return the modules that an artifact's worker needs.

    Args:
        folder: the folder of the artifact, or of the model that it is made from.
    """
    return ("breakeven.engine.artifact_loader", *runtime.imports(folder))


def shared_modules(folders: Iterable[Path]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return which modules a fork server imports for artifacts that need certain modules.

    Artifacts whose runtimes are built on the same library, for example torch, share one server, which imports
    the modules of all of them, because the library takes much longer to import than the rest.
    """
    of_library: dict[str, dict[str, None]] = {}
    needed = {server_modules(folder) for folder in folders}
    for modules in sorted(needed):
        of_library.setdefault(library(modules), {}).update(dict.fromkeys(modules))
    return {modules: tuple(of_library[library(modules)]) for modules in needed}


def library(modules: tuple[str, ...]) -> str:
    """Return the library that an artifact's runtime is built on: the first that it imports, or ""."""
    return modules[1] if len(modules) > 1 else ""
