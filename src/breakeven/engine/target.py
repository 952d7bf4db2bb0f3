"""The variants of a run before a worker loads them: artifact folders, or callables to find."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal


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
    """Return the modules that a fork server imports for `variant`.

    Variants with equal modules share a fork server.
    """
    if isinstance(variant, CallTarget):
        return ("breakeven.engine.call_loader", *variant.preload)
    from breakeven.artifacts import artifact
    from breakeven.core import plugin

    card = artifact.read(variant)
    runtime = plugin.load("runtimes", card.settings, f"runtimes.{card.runtime}")
    modules: tuple[str, ...] = runtime.imports(variant)
    return ("breakeven.engine.artifact_loader", *modules)
