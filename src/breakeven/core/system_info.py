"""What decides speed on this machine: processor, memory, GPU, driver, versions; found without torch."""

import contextlib
import os
import platform
import shutil
import string
import subprocess
from collections.abc import Collection
from functools import cache
from importlib import metadata
from pathlib import Path

from breakeven.core.files import fingerprint

CPUINFO = Path("/proc/cpuinfo")
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
    "asimddp",
    "i8mm",
    "bf16",
)
# Variables of the environment that libraries are tuned by
TUNING = (
    *("KMP_", "GOMP_", "OMP_", "MKL_", "DNNL_", "ONEDNN_", "OPENBLAS_", "MALLOC_", "ATEN_", "LD_PRELOAD"),
    *("TORCH_", "TORCHINDUCTOR_", "PYTORCH_", "ORT_", "OV_"),
)
GIVEN = dict(os.environ)  # by the user: libraries add to it when they are imported
OTHERS = ("KMP_INIT_AT_FORK",)  # joblib's, which its workers hand on; nothing is faster or slower for it
DEVELOPERS = ("dev", "browser", "docs")  # extras that users do not need
# Extras whose versions change no call's time, but for torch and torchvision, which are noted
NOT_EXECUTING = ("", "torch", "pipeline", "tracking", "report", "cluster")
LETTERS = string.ascii_letters + string.digits + "-_."


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def tuning_variables(overridden: Collection[str] = ()) -> dict[str, str]:
    """The variables that libraries are tuned by, without those that a hardware sets."""
    return {
        name: value
        for name, value in sorted(GIVEN.items())
        if name.startswith(TUNING) and name not in {*overridden, *OTHERS}
    }


@cache
def collect() -> dict[str, object]:
    """The machine and the versions; `name` is what tables call it."""
    processor, flags = _processor(), features()
    # What the operating system offers, not what this process happens to be bound to.
    facts: dict[str, object] = {
        "processor": processor,
        "cores": os.cpu_count(),
        "flags": flags,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "gpu": _gpu(),
        # What is compiled here is decided by them; and what could not be, until they were there.
        "compiler": _answer(os.environ.get("CXX", "g++"), "--version"),
        "cmake": _answer("cmake", "--version"),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: found for name in sorted(_packages()) if (found := version(name))},
    }
    return {"name": f"{processor}, {os.cpu_count()} cores ({fingerprint(facts)[:6]})", **facts}


def features() -> list[str]:
    """Those of `FLAGS` that the processor has; none where the system does not tell."""
    fields = _cpuinfo()
    found = (fields.get("flags") or fields.get("Features") or "").split()
    return [flag for flag in FLAGS if flag in found]


def _processor() -> str:
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


@cache
def _cpuinfo() -> dict[str, str]:
    """Of the first core."""
    lines = CPUINFO.read_text(encoding="utf-8").splitlines() if CPUINFO.exists() else []
    pairs = [line.partition(":") for line in reversed(lines)]
    return {key.strip(): value.strip() for key, _, value in pairs}


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
    """What can execute a model: torch and the extras of runtimes and toolchains."""
    extras = {name for extra, names in requirements().items() if extra not in NOT_EXECUTING for name in names}
    return {"numpy", "torch", "torchvision", "onnxruntime-gpu", *extras}


def requirements() -> dict[str, list[str]]:
    """The packages that each extra needs, but for the developers' own extras; "" is what all need.

    Nothing, where Breakeven is run from a checkout that is not installed.
    """
    lines: list[str] = []
    with contextlib.suppress(metadata.PackageNotFoundError):
        lines = metadata.requires("breakeven") or []
    found: dict[str, list[str]] = {}
    for line in lines:
        extra = line.partition("extra == ")[2].strip("\"' ")
        package = line[: len(line) - len(line.lstrip(LETTERS))]
        if extra not in DEVELOPERS and package != "breakeven":  # an extra of extras
            found.setdefault(extra, []).append(package)
    return found


def version(package: str) -> str | None:
    """Of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
