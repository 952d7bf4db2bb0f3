"""What a variant is before it is loaded: an artifact's folder, or a callable that a process can find."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class CallTarget:
    """A factory, or a callable itself, that each worker process loads anew.

    Attributes:
        kind: how to find it: import a module, execute a file, or read a pickle.
        source: the module's name, or the path of the file or pickle.
        name: the attribute to take from the module or the file, possibly dotted.
        direct: call the object itself; otherwise call it once and time what it returns.
        paths: folders to put first on `sys.path`.
        within: refuse a module that is loaded from outside this folder; "" accepts any.
        inputs: a pickle of the positional arguments of each call.
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


Variant = Path | CallTarget  # a path is an artifact's folder


def worker_spec(variant: Variant) -> dict[str, Any]:
    """Return what a worker needs to load `variant`, as JSON can hold it."""
    if isinstance(variant, CallTarget):
        return asdict(variant)
    return {"kind": "artifact", "folder": str(variant)}


def server_modules(variant: Variant) -> tuple[str, ...]:
    """Return the modules that a fork server imports for `variant`; variants with the same ones share it."""
    if isinstance(variant, CallTarget):
        return ("breakeven.engine.call_loader", *variant.preload)
    from breakeven.artifacts import artifact
    from breakeven.core import plugin

    card = artifact.read(variant)
    runtime = plugin.load("runtimes", card.settings, f"runtimes.{card.runtime}")
    modules: tuple[str, ...] = runtime.imports(variant)
    return ("breakeven.engine.artifact_loader", *modules)
