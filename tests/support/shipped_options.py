"""The runtimes and the toolchains of `conf/`, for tests that go through all of them."""

from collections.abc import Iterator

import yaml
from project import ROOT


def options(group: str) -> dict[str, dict]:
    """Return the settings of each file in `conf/<group>`, by the file's name."""
    files = sorted((ROOT / "conf" / group).glob("*.yaml"))
    return {path.stem: yaml.safe_load(path.read_text()) for path in files}


def named(settings: dict) -> Iterator[str]:
    """Yield a runtime's name, and the name of the runtime whose artifacts it executes."""
    yield settings["name"]
    if "of" in settings:
        yield from named(settings["of"])


RUNTIMES, TOOLCHAINS = options("runtime"), options("quantization")

# Inductor compiles C++ for half a minute a variant.
COMPILED = [name for name, own in RUNTIMES.items() if {"torch_compile", "aotinductor"} & {*named(own)}]

# What no torch, or not every processor, can do: the row says so.
CANNOT = (
    "torch.compile refuses it",
    "no instructions for bf16",
    "no bf16 for this processor",
    "TensorRT needs a GPU",
)
