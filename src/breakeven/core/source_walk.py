"""A walk over source files: the modules, data files and packages that some modules need."""

import importlib.util
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path

from breakeven.core import paths
from breakeven.core.source_imports import PACKAGE, absolute_name
from breakeven.core.source_memory import ParsedFile, SourceMemory

PACKAGE_ROOT = Path(__file__).parents[1]  # the folder of the package
# Installed packages count if a module with such a name imports them: they hold the layers of models.
MODEL_PREFIXES = ("breakeven.plugins.models.", "breakeven.model.")


class SourceTree:
    """Source files with the content of their first reading. The package's own files are read at once."""

    def __init__(self, root: Path = PACKAGE_ROOT) -> None:
        """Read all Python files below `root`, the folder of the package, and the project's folder `cpp`."""
        self._root = root
        self._texts: dict[Path, bytes] = {}
        self._parsed: dict[Path, ParsedFile] = {}
        self.modules = {_module_name(path, root): path for path in sorted(root.rglob("*.py"))}
        for path in [*self.modules.values(), *self._project_folder("cpp")]:
            self.read(path)

    def read(self, path: Path) -> bytes:
        """Return the bytes of a file at the time of its first reading."""
        if path not in self._texts:
            self._texts[path] = path.read_bytes()
        return self._texts[path]

    def parse(self, path: Path) -> ParsedFile:
        """Return the digest and the references of a Python file.

        Raises:
            UserError: Python cannot parse the file.
        """
        if path not in self._parsed:
            self._parsed[path] = self.memory.parse(path, self.read(path))
        return self._parsed[path]

    def reach(
        self,
        starts: Iterable[str],
        is_left_out: Callable[[str], bool] = lambda module: False,
        top_level: bool = False,
    ) -> dict[str, Path]:
        """Return name -> file of everything that `starts` need, and of `starts` themselves.

        A name is a module, the path of a data file, or an installed package, whose file is its `__init__`.
        An installed package counts if it is in `starts`, or if a user's own or a model's module imports it.

        Args:
            starts: modules, or dotted names of objects in modules.
            is_left_out: returns whether to leave a module and its imports out.
            top_level: whether to follow only imports that are always executed.
        """
        reached: dict[str, Path] = {}
        queue = deque((name, True) for name in starts)
        while queue:
            name, counts_packages = queue.popleft()
            module, path = self.locate(name)
            if path is None or module in reached or is_left_out(module):
                continue
            if is_installed(path):
                if counts_packages:
                    reached[module] = path
                continue
            reached[module] = path
            inside = module == PACKAGE or module.startswith(f"{PACKAGE}.")
            counts_packages = not inside or module.startswith(MODEL_PREFIXES)
            references = self.parse(path).references
            package = module if path.stem == "__init__" else module.rpartition(".")[0]
            if inside and package != module:
                queue.append((package, False))  # importing a module executes its packages' `__init__`
            names = references.top_level if top_level else references.imports
            queue.extend((absolute_name(each, package), counts_packages) for each in names)
            if not top_level and not inside and references.imports_by_name:
                queue.extend((each, True) for each in _by_name(module, references.names))
            if not top_level:
                queue.extend((each, False) for each in references.modules)
                for folder in references.folders if inside else ():
                    reached |= self._data_files(path, folder)
        return dict(sorted(reached.items()))

    def locate(self, name: str) -> tuple[str, Path | None]:
        """Return the longest part of a dotted name that is a module, and the module's file or None."""
        parts = name.replace(":", ".").split(".")
        if parts[0] == PACKAGE:
            while parts and ".".join(parts) not in self.modules:
                parts.pop()
            return ".".join(parts), self.modules.get(".".join(parts))
        return _locate_outside(parts)

    def _data_files(self, module: Path, folder: str) -> dict[str, Path]:
        beside = module.parent / folder
        paths = sorted(beside.rglob("*")) if beside.is_dir() else self._project_folder(folder)
        base = self._root.parent if beside.is_dir() else self._project
        return {str(path.relative_to(base)): path for path in paths if path.is_file()}

    def _project_folder(self, folder: str) -> list[Path]:
        return sorted(path for path in (self._project / folder).rglob("*") if path.is_file())

    @cached_property
    def memory(self) -> SourceMemory:
        """Return the memory of the files that earlier processes parsed in this project."""
        return SourceMemory(paths.private() / "source.json")

    @cached_property
    def _project(self) -> Path:
        """Return the folder that holds `cpp`: the package's own in a wheel, else the checkout."""
        return self._root if (self._root / "cpp").is_dir() else self._root.parents[1]


def is_installed(path: Path) -> bool:
    """Return whether a file belongs to an installed package. The package's version identifies its files.

    The files of this package count one by one wherever they are.
    """
    if path.is_relative_to(PACKAGE_ROOT):
        return False
    return not {"site-packages", "dist-packages"}.isdisjoint(path.parts)


def _by_name(module: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the user's own modules that a module may import by name.

    They are all modules of its own package, and of each module or package that one of its strings names.
    """
    for name in [module.partition(".")[0], *names]:
        top = name.partition(".")[0]
        found, file = _locate_outside(name.split("."))
        if found != name or (file is not None and is_installed(file)):
            continue
        yield name
        for folder in importlib.util.find_spec(top).submodule_search_locations or ():  # type: ignore[union-attr]
            below = Path(folder).joinpath(*name.split(".")[1:])
            for path in sorted(below.rglob("*.py")):
                parts = path.relative_to(folder).with_suffix("").parts
                yield ".".join([top, *parts]).removesuffix(".__init__")


def _module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _locate_outside(parts: list[str]) -> tuple[str, Path | None]:
    """Find a user's own module or an installed package, without importing it, which would take time."""
    top, *rest = parts
    if not top or top in sys.stdlib_module_names or (spec := importlib.util.find_spec(top)) is None:
        return ".".join(parts), None
    module, file = top, Path(spec.origin) if spec.origin else None
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if file and is_installed(file):
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
