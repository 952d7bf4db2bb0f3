"""LibTorch: the artifact of another runtime of torch, executed by a C++ program, without Python."""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import breakeven
from breakeven import paths
from breakeven.errors import Unsupported
from breakeven.files import fingerprint, sha256, write_text
from breakeven.option import load
from breakeven.runtime.base import Place, Runtime, Session, Source

PROJECT = Path(breakeven.__file__).parents[2] / "cpp"
ABOUT = "about.txt"


class LibTorch(Runtime):
    """Executes what the runtime with the settings `of` exports: TorchScript, or AOTInductor."""

    modules = ()

    of: dict[str, Any]

    @property
    def inner(self) -> Runtime:
        """The runtime that exports."""
        runtime: Runtime = load("runtime", self.of, "of")
        return runtime

    def export(self, source: Source, folder: Path) -> None:
        """As it does, and what the program has to know beside."""
        from breakeven.modelfile import read_card

        program()
        self.inner.export(source, folder)
        card = read_card(source.folder)
        facts = {
            "preprocessing": source.preprocessing,
            "channels": card.shape.channels,
            "height": card.shape.height,
            "width": card.shape.width,
            "mean": ",".join(map(repr, card.mean)),
            "std": ",".join(map(repr, card.std)),
        }
        write_text(folder / ABOUT, "".join(f"{key} {value}\n" for key, value in facts.items()))

    def start(self, folder: Path, place: Place) -> None:
        """Look for the program."""
        place.require(("cpu",), "the C++ worker")
        program()

    def load(self, folder: Path, place: Place, preprocessing: str) -> Session:
        """The program does that."""
        raise NotImplementedError

    def command(self, folder: Path, place: Place, affinity: dict[str, Any]) -> list[str]:
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
    digests = [sha256(path) for path in sorted(PROJECT.rglob("*")) if path.is_file()]
    folder = paths.private() / "cpp" / fingerprint(digests, metadata.version("torch"), found.origin)
    if (folder / "worker").exists():
        return folder / "worker"
    for tool in ("cmake", os.environ.get("CXX", "c++")):
        if not shutil.which(tool):
            raise Unsupported(f"it is built by CMake and a C++ compiler, and there is no {tool}: install it")
    build = folder.with_name(f"{folder.name}.building")
    for command in (
        ["cmake", "-S", str(PROJECT), "-B", str(build), f"-DTORCH={Path(found.origin).parent}"],
        ["cmake", "--build", str(build), "--parallel", "2"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = [line for line in (done.stderr or done.stdout).splitlines() if "rror" in line]
            raise Unsupported(f"its C++ program cannot be built: {lines[0].strip() if lines else command[0]}")
    build.rename(folder)
    return folder / "worker"
