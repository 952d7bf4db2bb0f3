"""What decides speed on this machine: processor, memory, GPU, driver, versions; found without torch."""

import contextlib
import os
import platform
import shutil
import string
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from breakeven.files import fingerprint

FLAGS = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "avx512_bf16",
    "amx_tile",
    "amx_int8",
    "amx_bf16",
    "asimd",
)
DEVELOPERS = ("dev", "browser", "docs")  # extras that execute no model
LETTERS = string.ascii_letters + string.digits + "-_."


@cache
def describe() -> dict[str, object]:
    """The machine and the versions; `name` is what tables call it."""
    processor, flags = _processor()
    # What the operating system offers, not what this process happens to be bound to.
    facts: dict[str, object] = {
        "processor": processor,
        "cores": os.cpu_count(),
        "flags": [flag for flag in FLAGS if flag in flags],
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "gpu": _gpu(),
        # What is compiled here is decided by them; and what could not be, until they were there.
        "compiler": _answer(os.environ.get("CXX", "g++"), "--version"),
        "cmake": _answer("cmake", "--version"),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: version for name in sorted(_packages()) if (version := _version(name))},
    }
    return {"name": f"{processor}, {os.cpu_count()} cores ({fingerprint(facts)[:6]})", **facts}


def _processor() -> tuple[str, set[str]]:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine(), set()
    pairs = [line.partition(":") for line in info.read_text(encoding="utf-8").splitlines()]
    fields = {key.strip(): value.strip() for key, _, value in reversed(pairs)}
    flags = fields.get("flags") or fields.get("Features") or ""
    return fields.get("model name", platform.machine()), set(flags.split())


def _gpu() -> list[str]:
    """Name, memory and driver of each GPU."""
    query = ("--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
    return _lines("nvidia-smi", *query)


def _answer(*command: str) -> str:
    """The first line that a program prints, "" if there is no such program."""
    return next(iter(_lines(*command)), "")


def _lines(*command: str) -> list[str]:
    if not (program := shutil.which(command[0])):
        return []
    answer = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    return answer.stdout.strip().splitlines() if answer.returncode == 0 else []


def _packages() -> set[str]:
    """What can execute a model: torch and the extras, but for the developers' own."""
    required: list[str] = []
    with contextlib.suppress(metadata.PackageNotFoundError):  # run from a checkout that is not installed
        required = metadata.requires("breakeven") or []
    extras = [line for line in required if "extra ==" in line]
    ours = [line for line in extras if not any(f'"{extra}"' in line for extra in DEVELOPERS)]
    named = {line[: len(line) - len(line.lstrip(LETTERS))] for line in ours}
    return {"numpy", "torch", "torchvision", "onnxruntime-gpu", *named}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
