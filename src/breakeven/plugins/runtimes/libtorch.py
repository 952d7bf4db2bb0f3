"""LibTorch: the artifact of another runtime of torch, executed by a C++ program, without Python."""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock
from pydantic import field_validator

import breakeven
from breakeven.core import paths
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.files import digests, fingerprint, write_text
from breakeven.core.plugin import load
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session

PROJECT = Path(breakeven.__file__).parents[2] / "cpp"
ABOUT = "about.txt"
INNER = ("torchscript", "aotinductor")


LEFT_OUT = {"optimize": False, "compile": False}  # what Python does after loading


class LibTorch(Runtime):
    """Executes what the runtime with the settings `of` exports: TorchScript, or AOTInductor."""

    modules = ()

    of: dict[str, Any]

    @field_validator("of")
    @classmethod
    def _can_be_loaded(cls, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("name") not in INNER:
            raise ValueError(f"its C++ program loads what {' and '.join(INNER)} export")
        try:
            inner = load("runtimes", value, "of")
        except UserError as error:
            raise ValueError(str(error).rstrip(".")) from None
        if inner.precision != "fp32":
            raise ValueError("its precision should be fp32")
        for setting, told in LEFT_OUT.items():
            if getattr(inner, setting, told) != told:
                raise ValueError(f"its C++ program knows {setting}={str(told).lower()} only")
        return value

    @property
    def inner(self) -> Runtime:
        """The runtime that exports."""
        runtime: Runtime = load("runtimes", self.of, "of")
        return runtime

    @property
    def batch(self) -> int:  # type: ignore[override]
        """As many images at once as the artifact can take when it is scored."""
        return self.inner.batch

    def export(self, source: ExportInput, folder: Path) -> None:
        """As it does, and what the program has to know beside."""
        from breakeven.artifacts.model_manifest import TextInput, read_card

        card = read_card(source.folder)
        if isinstance(card.shape, TextInput):
            raise Unsupported("the C++ worker takes images only")
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
        write_text(folder / ABOUT, "".join(f"{key} {value}\n" for key, value in facts.items()))

    def ready(self) -> None:
        """Build the program."""
        program()

    def start(self, folder: Path, place: ExecutionContext) -> None:
        """Look for the program."""
        place.require(("cpu",), "the C++ worker")
        program()

    def load(self, folder: Path, place: ExecutionContext, preprocessing: str) -> Session:
        """The program does that."""
        raise NotImplementedError

    def command(self, folder: Path, place: ExecutionContext, affinity: dict[str, Any]) -> list[str]:
        """The program that takes the place of a worker's process, but for the pipes."""
        return [str(program()), str(folder), str(place.threads), json.dumps(affinity)]


@cache
def program() -> Path:
    """The worker, built by CMake if it was not yet, for this source and this torch.

    Raises:
        Unsupported: there is no source, no CMake or no compiler, or they fail.
    """
    from importlib import metadata, util

    if not PROJECT.exists():
        raise Unsupported(f"its C++ source is not at {PROJECT}: use a checkout of the repository")
    found = util.find_spec("torch")
    assert found and found.origin
    folder = paths.private() / "cpp" / fingerprint(digests(PROJECT), metadata.version("torch"), found.origin)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "worker").exists():
            _build(folder, Path(found.origin).parent)
        _link(folder.with_name("current"), folder)
    return folder / "worker"


def _build(folder: Path, torch: Path) -> None:
    for tool in ("cmake", os.environ.get("CXX", "c++")):
        if not shutil.which(tool):
            raise Unsupported(f"it is built by CMake and a C++ compiler, and there is no {tool}: install it")
    build = folder.with_name(f"{folder.name}.building")
    for command in (
        ["cmake", "-S", str(PROJECT), "-B", str(build), f"-DTORCH={torch}"],
        ["cmake", "--build", str(build), "--parallel", "2"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = [line for line in (done.stderr or done.stdout).splitlines() if "rror" in line]
            raise Unsupported(f"its C++ program cannot be built: {lines[0].strip() if lines else command[0]}")
    build.rename(folder)


def _link(link: Path, folder: Path) -> None:
    """For people: the programs that are in use."""
    if link.resolve() != folder.resolve():
        temporary = link.with_name(f"current.{os.getpid()}")
        temporary.symlink_to(folder.name)
        temporary.replace(link)
