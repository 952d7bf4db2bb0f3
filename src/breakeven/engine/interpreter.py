"""The Python that runs the workers of a variant: this one, another one, or this one with other packages."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import breakeven
from breakeven.core.errors import UserError

SOURCE_FOLDER = Path(breakeven.__file__).parent.parent
ANSWER_S = 120  # a first import of large libraries from a slow disk takes long
# What the process of a worker imports before any runtime.
NEEDED = ("breakeven.engine.forkserver_main", "breakeven.engine.artifact_loader")
LIST_VERSIONS = """
import importlib, importlib.metadata, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
found = {}
for each in importlib.metadata.distributions():  # the first of a name is the one that is imported
    found.setdefault(each.metadata["Name"].lower(), each.version)
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
        entries = [*self.folders, str(SOURCE_FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]
        return os.pathsep.join(entries)

    def versions(self) -> dict[str, str]:
        """Return the version of this Python and of each installed package.

        Raises:
            UserError: it does not start, or it lacks what a worker needs.
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
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UserError(f"{self.executable} does not start: {error}.") from None
        if done.returncode:
            words = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise UserError(
                f"{self.executable} cannot run Breakeven's workers: {words[-1]}. Install Breakeven there, "
                "with the runtimes to compare: pip install 'breakeven[all]'."
            )
        versions: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
        return versions


THIS_PYTHON = Interpreter()
