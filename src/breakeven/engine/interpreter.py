"""The Python that runs the workers of a variant: this one, another one, or this one with other packages."""

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import breakeven
from breakeven.core.errors import UserError
from breakeven.core.extras import install_command

PACKAGE = Path(breakeven.__file__).parent
ANSWER_S = 120  # a first import of large libraries from a slow disk takes long
# What the process of a worker imports before any runtime.
NEEDED = ("breakeven.engine.forkserver_main", "breakeven.engine.artifact_loader")
LIST_VERSIONS = """
import importlib, importlib.metadata, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
found = {}
for each in importlib.metadata.distributions():  # the first of a name is the one that is imported
    if name := each.metadata["Name"]:  # an interrupted installation leaves a folder without one
        found.setdefault(name.lower().replace("_", "-").replace(".", "-"), each.version)
print(json.dumps({"python": sys.version.split()[0], **found}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python, with folders whose packages it prefers to its own."""

    executable: str = sys.executable
    folders: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Return its PYTHONPATH: the folders, this package, and the user's own modules."""
        own = PACKAGE.parent if self.executable == sys.executable else _folder_of_package_alone()
        entries = [*self.folders, str(own), *filter(None, [os.environ.get("PYTHONPATH")])]
        return os.pathsep.join(entries)

    def versions(self) -> dict[str, str]:
        """Return the version of this Python and of each installed package.

        Raises:
            UserError: it does not start, is no Python, or lacks what a worker needs.
        """
        try:
            done = subprocess.run(
                [self.executable, "-c", LIST_VERSIONS, *NEEDED],
                env={**os.environ, "PYTHONPATH": self.path},
                capture_output=True,
                text=True,
                timeout=ANSWER_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UserError(f"{self.executable} did not answer within {ANSWER_S} s.") from None
        except OSError as error:
            raise UserError(f"{self.executable} does not start: {error}.") from None
        if done.returncode:
            words = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise UserError(
                f"{self.executable} cannot run Breakeven's workers: {words[-1]}. Install Breakeven there, "
                f"with the runtimes to compare: {install_command('all')}."
            )
        try:
            versions: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            raise UserError(f"{self.executable} is not a Python: it does not do what one does.") from None
        return versions


@functools.cache
def _folder_of_package_alone() -> Path:
    """Return a folder that another Python can search: it holds this package, and no other one of this Python.

    An installed package lies among all others of its Python, which would hide those of the other Python.
    """
    folder = Path(tempfile.mkdtemp(prefix="breakeven-package-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / PACKAGE.name).symlink_to(PACKAGE, target_is_directory=True)
    return folder


THIS_PYTHON = Interpreter()
