"""Digests of the source that an output depends on, for DVC's stages and for the keys of the cache."""

import contextlib
import hashlib
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.source_memory import SHORT_DIGEST_LENGTH
from breakeven.core.source_walk import SourceTree, is_installed

STAGES_PACKAGE = "breakeven.pipeline.stages"

# Modules and packages that a stage imports, but that cannot change its output -> the reason.
LEFT_OUT = {
    "breakeven.tracking": "copies results to MLflow",
    "breakeven.config.compose": "writes params.yaml, whose values are dependencies themselves",
    "breakeven.config.schema": "reads and checks params.yaml, whose values are dependencies themselves",
    "breakeven.config.sections": "describes params.yaml, whose values are dependencies themselves",
    "breakeven.config.study": "describes params.yaml, whose values are dependencies themselves",
    "breakeven.core.cache": "finds by its key what was made before",
    "breakeven.core.digests": "says which bytes there are; callers decide what follows",
    "breakeven.core.download": "the digest of a downloaded file is a dependency itself",
    "breakeven.core.errors": "sentences for users",
    "breakeven.core.files": "writes files whole; callers decide what is in them",
    "breakeven.core.git": "notes the commit in the record, whatever it is",
    "breakeven.core.interrupts": "how a stage ends at Ctrl-C",
    "breakeven.core.child_process": "how a process ends",
    "breakeven.core.lock_holders": "a message while a process waits",
    "breakeven.core.machine_lock": "waits for other processes",
    "breakeven.core.paths": "dvc.yaml names the same files",
    "breakeven.core.plugin": "imports the plugins that the settings name, which count themselves",
    "breakeven.core.progress": "what a terminal shows meanwhile",
    "breakeven.core.progress_bar": "what a terminal shows meanwhile",
    "breakeven.core.estimate": "what a terminal shows meanwhile",
    "breakeven.core.source_digest": "decides what runs again, not what it makes",
    "breakeven.core.source_imports": "decides what runs again, not what it makes",
    "breakeven.core.source_memory": "decides what runs again, not what it makes",
    "breakeven.core.source_text": "decides what runs again, not what it makes",
    "breakeven.core.source_walk": "decides what runs again, not what it makes",
    "breakeven.core.system_info": "its findings are in data/fetched/machine.json, a dependency itself",
    "breakeven.engine.isolated": "calls a function in another process, and returns what it returns",
    "breakeven.pipeline.model_contract": "refuses a model, or leaves it as it is",
    "breakeven.pipeline.__main__": "starts the stage that it is told",
    "breakeven.pipeline.stages._main": "how a stage ends that fails",
}
PUBLIC_API = "breakeven"  # the package's own `__init__`, which no stage uses; its modules count

AT_START = SourceTree()  # the source that this process runs; it ignores later edits


def digests_of(stage: str, plugins: Iterable[str], tree: SourceTree = AT_START) -> dict[str, str]:
    """Return name -> digest of all source that decides what a stage makes.

    A name is a module, a data file, or an installed package that a model or a user's own module imports.
    The version of an installed package takes the place of its digest. Comments and docstrings do not count.

    Args:
        stage: the name of a module in `breakeven.pipeline.stages`.
        plugins: modules, and constructors of models, that the stage loads by their names in the settings.
        tree: the source files.

    Raises:
        UserError: Python cannot parse a file.
    """
    return digests_of_modules([f"{STAGES_PACKAGE}.{stage}", *plugins], tree)


def digests_of_modules(starts: Iterable[str], tree: SourceTree = AT_START) -> dict[str, str]:
    """Return name -> digest of all source that these modules need.

    See `digests_of` for the names and the errors.
    """
    digests: dict[str, str] = {}
    for name, path in tree.reach(starts, is_left_out).items():
        if is_installed(path):
            digests[name] = _version(name)
        elif path.suffix != ".py":
            digests[name] = hashlib.sha256(tree.read(path)).hexdigest()[:SHORT_DIGEST_LENGTH]
        elif digest := tree.parse(path).digest:
            digests[name] = digest
    return digests


def is_left_out(module: str) -> bool:
    """Return whether a module cannot change an output."""
    parents = module.split(".")
    return module == PUBLIC_API or any(
        ".".join(parents[:length]) in LEFT_OUT for length in range(1, len(parents) + 1)
    )


def plugin_modules(group: str, settings: Any) -> list[str]:
    """Return the modules that settings name at any depth: plugins of the group, and the user's own.

    Args:
        group: a package below `breakeven.plugins`.
        settings: one option's section of the configuration, or a list or a mapping of sections.
    """
    modules: list[str] = []
    if isinstance(settings, Mapping):
        if isinstance(name := settings.get("name"), str):
            modules.append(name if "." in name else f"breakeven.plugins.{group}.{name}")
        settings = list(settings.values())
    if isinstance(settings, list | tuple):
        for each in settings:
            modules += plugin_modules(group, each)
    return modules


@cache
def packages(target: str) -> tuple[str, ...]:
    """Return the installed packages that Python always imports along with the constructor `target`.

    Return nothing if the source cannot be parsed: importing the constructor will raise a better error.
    """
    with contextlib.suppress(UserError):
        reached = AT_START.reach([target], is_left_out, top_level=True)
        return tuple(name for name, path in reached.items() if is_installed(path))
    return ()


def unwatched_modules(target: str) -> list[str]:
    """Return the user's own modules that this process has imported and that no digest of `target` holds.

    Args:
        target: the constructor of a model, which was called before.
    """
    watched = AT_START.reach([target], is_left_out)
    modules = {name: getattr(module, "__file__", None) for name, module in [*sys.modules.items()]}
    own = {name for name, file in modules.items() if file and _is_own(Path(file))}
    return sorted(
        name
        for name in own - watched.keys()
        if name.partition(".")[0] not in (PUBLIC_API, "__main__", "__mp_main__")
    )


def _is_own(file: Path) -> bool:
    """Return whether a file is Python source of the user's, in the repository or in the current folder."""
    own = file.suffix == ".py" and file.is_absolute() and not is_installed(file)
    return own and any(file.resolve().is_relative_to(each.resolve()) for each in (paths.home(), Path.cwd()))


def _version(package: str) -> str:
    """Return the version of a package, or of all distributions that have a part of it."""
    with contextlib.suppress(metadata.PackageNotFoundError):  # a distribution mostly has the package's name
        return _identity(metadata.distribution(package))
    return ", ".join(_identity(metadata.distribution(name)) for name in _distributions().get(package, []))


def _identity(distribution: metadata.Distribution) -> str:
    """Return the version; after it the content of the source, if it was installed from a folder or a file.

    Such a package may be installed again under the same version. What an index holds never changes.
    """
    if distribution.read_text("direct_url.json") is None:
        return distribution.version
    source = sorted(f"{f}{f.hash and f.hash.value}" for f in distribution.files or () if f.suffix == ".py")
    digest = hashlib.sha256("\n".join(source).encode()).hexdigest()[:SHORT_DIGEST_LENGTH]
    return f"{distribution.version}+{digest}"


_distributions = cache(metadata.packages_distributions)  # slow: it reads the file lists of all distributions
