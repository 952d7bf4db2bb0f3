"""LibTorch: a C++ program executes the artifact of another runtime of torch, without Python.

It needs a checkout of the repository, CMake and a C++ compiler; LibTorch itself comes with torch.
"""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock
from pydantic import field_validator

from breakeven.core import paths
from breakeven.core.digests import digests, fingerprint
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.files import write_text
from breakeven.core.plugin import load
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session

CMAKE_PROJECT = paths.shipped("cpp")
FACTS_FILE = "about.txt"  # what the program has to know of the artifact
EXPORTERS = ("torchscript", "aotinductor")
PYTHON_ONLY = {"optimize": False, "compile": False}  # settings for what Python does after loading


class LibTorch(Runtime):
    """Executes artifacts of TorchScript or AOTInductor.

    Attributes:
        of: the settings of the runtime that exports.
    """

    modules = ()
    library = "LibTorch"

    of: dict[str, Any]

    @field_validator("of")
    @classmethod
    def _can_be_loaded(cls, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("name") not in EXPORTERS:
            raise ValueError(f"its C++ program loads what {' and '.join(EXPORTERS)} export")
        try:
            inner = load("runtimes", value, "of")
        except UserError as error:
            raise ValueError(str(error).rstrip(".")) from None
        if inner.precision != "fp32":
            raise ValueError("its precision should be fp32")
        for setting, allowed in PYTHON_ONLY.items():
            if getattr(inner, setting, allowed) != allowed:
                raise ValueError(f"its C++ program knows {setting}={str(allowed).lower()} only")
        return value

    @property
    def inner(self) -> Runtime:
        """Return the runtime that exports."""
        runtime: Runtime = load("runtimes", self.of, "of")
        return runtime

    @property
    def batch(self) -> int:  # type: ignore[override]
        """Return how many inputs a call has while accuracy is computed: as the exporting runtime says."""
        return self.inner.batch

    @property
    def exporter(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the modules that the exporting runtime imports."""
        return self.inner.exporter

    def export(self, source: ExportInput, folder: Path) -> None:
        """Export with the inner runtime, and write what the program has to know of the artifact.

        Raises:
            Unsupported: the model takes no images, or the program cannot be built.
        """
        from breakeven.artifacts.model_manifest import ImageInput, read_card

        card = read_card(source.folder)
        if not isinstance(card.shape, ImageInput):
            raise Unsupported("the C++ worker takes images only")
        if not card.mean or card.output_count > 1:
            raise Unsupported("the C++ worker takes images of 8 bits, and models of one output")
        program()
        self.inner.export(source, folder)
        facts = {
            "preprocessing": source.preprocessing,
            "batch": self.batch,
            "channels": card.shape.channels,
            "height": card.shape.height,
            "width": card.shape.width,
            "mean": ",".join(map(repr, card.mean)),
            "std": ",".join(map(repr, card.std)),
        }
        write_text(folder / FACTS_FILE, "".join(f"{key} {value}\n" for key, value in facts.items()))

    def ready(self) -> None:
        """Build the program."""
        program()

    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Build the program if there is none yet; refuse a GPU."""
        context.require(("cpu",), "the C++ worker")
        program()

    def load(self, folder: Path, context: ExecutionContext, preprocessing: str) -> Session:
        """Refuse: the program loads the artifact, not Python."""
        raise NotImplementedError

    def command(self, folder: Path, context: ExecutionContext, affinity: dict[str, Any]) -> list[str]:
        """Return the program that replaces Python in the worker's process, and keeps its pipes."""
        return [str(program()), str(folder), str(context.threads), json.dumps(affinity)]


@cache
def program() -> Path:
    """Return the path of the worker program; build it by CMake once for this source and this torch.

    Raises:
        Unsupported: there is no source, no CMake or no compiler, or the build fails.
    """
    from importlib import metadata, util

    if not CMAKE_PROJECT.exists():
        raise Unsupported(f"its C++ source is not at {CMAKE_PROJECT}: use a checkout of the repository")
    torch = util.find_spec("torch")
    assert torch and torch.origin
    folder = (
        paths.private() / "cpp" / fingerprint(digests(CMAKE_PROJECT), metadata.version("torch"), torch.origin)
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "worker").exists():
            _build(folder, Path(torch.origin).parent)
        _link(folder.with_name("current"), folder)
    return folder / "worker"


def _build(folder: Path, torch: Path) -> None:
    for tool in ("cmake", os.environ.get("CXX", "c++")):
        if not shutil.which(tool):
            raise Unsupported(f"it is built by CMake and a C++ compiler, and there is no {tool}: install it")
    build = folder.with_name(f"{folder.name}.building")
    for command in (
        ["cmake", "-S", str(CMAKE_PROJECT), "-B", str(build), f"-DTORCH={torch}"],
        ["cmake", "--build", str(build), "--parallel", "2"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = [line for line in (done.stderr or done.stdout).splitlines() if "rror" in line]
            raise Unsupported(f"its C++ program cannot be built: {lines[0].strip() if lines else command[0]}")
    build.rename(folder)


def _link(link: Path, folder: Path) -> None:
    """Point `link` at the programs in use, for people who look for them."""
    if link.resolve() != folder.resolve():
        temporary = link.with_name(f"current.{os.getpid()}")
        temporary.symlink_to(folder.name)
        temporary.replace(link)
