"""The Python code and the packages that a registered variant needs wherever it is loaded."""

import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

import breakeven
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import read_json
from breakeven.core.secrets import redact
from breakeven.core.source_imports import find_references
from breakeven.tracking import pyfunc

OWN_PACKAGE = Path(breakeven.__file__).parent
OWN_REQUIREMENTS = ("psutil", "pydantic", "safetensors")  # of our own code, besides the runtime's
NO_MODULES = ("__main__", "sitecustomize", "usercustomize")  # they are no modules of a model
# A program that loads a packed variant, calls it, and prints the modules that were imported
LOAD_AND_CALL = """
import json, sys
import numpy as np
from breakeven.tracking.pyfunc import _load_pyfunc
_load_pyfunc(sys.argv[1]).predict(np.load(sys.argv[2]))
print(json.dumps({name: getattr(module, "__file__", None) for name, module in sys.modules.items()}))
"""


def pack_code(packed: Path, example: Path, target: Path) -> dict[str, str | None]:
    """Copy Breakeven, and the user's own modules that a packed variant imports, into `target`.

    Then run the variant in another folder, with no other path, as a colleague would.

    Args:
        packed: the folder that `pyfunc.pack` has written.
        example: a file with inputs, as `numpy.save` writes it.
        target: the folder for the code.

    Returns:
        The modules that were imported, each with its file.

    Raises:
        UserError: the variant does not run here, or not in another folder.
    """
    modules, failure = _run(packed, example, str(Path.cwd()), os.environ)
    if failure:
        raise UserError(f"the packed variant does not run: {failure}.")
    shutil.copytree(OWN_PACKAGE, target / OWN_PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    own = own_modules(modules)
    for name, file in own.items():
        place = target.joinpath(*name.split("."))
        place = place / file.name if file.stem == "__init__" else place.parent / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place)
    hidden = ("PYTHONPATH", paths.HOME_VARIABLE)
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    elsewhere = target.parent / "elsewhere"
    elsewhere.mkdir()
    environment |= {"PYTHONPATH": str(target), "PYTHONDONTWRITEBYTECODE": "1"}  # what is packed stays source
    _, failure = _run(packed, example, str(elsewhere), environment)
    if failure:
        raise UserError(
            f"the packed variant does not run in another folder: {failure}. Of your code, "
            f"{', '.join(own) or 'nothing'} was packed: put what else it needs into an installed package."
        )
    return modules


def own_modules(modules: Mapping[str, str | None]) -> dict[str, Path]:
    """Return the user's own modules, which no package manager installs, each with its file.

    Args:
        modules: imported modules, each with its file if it has one.
    """
    installed = {
        name.partition(".")[0] for name, file in modules.items() if file and _is_installed(Path(file))
    }
    installed |= {name for name, file in modules.items() if not file and name in sys.builtin_module_names}
    return {
        name: Path(file)
        for name, file in sorted(modules.items())
        if file
        and name not in NO_MODULES
        and name.partition(".")[0] not in installed
        and Path(file).is_absolute()
        and Path(file).is_file()
    }


def requirements(
    packed: Path, modules: Mapping[str, str | None], measured_with: Mapping[str, str]
) -> dict[str, str]:
    """Return the packages that a packed variant needs, each with its version.

    Args:
        packed: the folder that `pyfunc.pack` has written.
        modules: the modules that loading and calling it imports, each with its file.
        measured_with: the versions of the packages that decide speed.
    """
    homes = metadata.packages_distributions()  # module -> distributions
    imported = {name.partition(".")[0] for name in modules}
    used = {canonicalize_name(name) for module in imported for name in homes.get(module, [])}
    versions = {name: version for name, version in measured_with.items() if canonicalize_name(name) in used}
    direct = {
        name for module in _direct_imports(packed, modules) & imported for name in homes.get(module, [])
    }
    listed = {canonicalize_name(name) for name in (*versions, "breakeven")}
    more = {name for name in (*OWN_REQUIREMENTS, *direct) if canonicalize_name(name) not in listed}
    return versions | {name: metadata.version(name) for name in sorted(more)}


def _direct_imports(packed: Path, modules: Mapping[str, str | None]) -> set[str]:
    """Return the top-level modules that the user's modules import, and the one that defines the model."""
    imports = set()
    for file in own_modules(modules).values():
        if file.suffix == ".py":
            imports |= {*find_references(ast.parse(file.read_text(encoding="utf-8"))).imports}
    if (card := packed / pyfunc.ARTIFACT_FOLDER / paths.MODEL_CARD).exists():
        imports.add(str(read_json(card)["model"]["_target_"]))
    return {name.partition(".")[0] for name in imports}


def _is_installed(file: Path) -> bool:
    """Return whether a file belongs to Python, to an installed package, or to Breakeven."""
    places = (Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("platstdlib")), OWN_PACKAGE)
    is_package = bool({"site-packages", "dist-packages"} & {*file.parts})
    return is_package or any(file.is_relative_to(place) for place in places)


def _run(
    packed: Path, example: Path, folder: str, environment: Mapping[str, str]
) -> tuple[dict[str, Any], str]:
    """Load and call a packed variant in a new process; return the imported modules, and why it failed."""
    command = [sys.executable, "-c", LOAD_AND_CALL, str(packed), str(example)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return {}, redact((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]).rstrip(
            "."
        )
    modules: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return modules, ""
