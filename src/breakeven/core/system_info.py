"""Facts about this machine that decide speed (processor, memory, GPU, versions), found without torch."""

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

from breakeven.core.digests import fingerprint
from breakeven.core.secrets import redact

CPUINFO = Path("/proc/cpuinfo")
PROCESSOR_FLAGS = (
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
# Prefixes of environment variables that tune libraries
TUNING_PREFIXES = (
    *("KMP_", "GOMP_", "OMP_", "MKL_", "DNNL_", "ONEDNN_", "OPENBLAS_", "MALLOC_", "ATEN_", "LD_PRELOAD"),
    *("TORCH_", "TORCHINDUCTOR_", "TORCHDYNAMO_", "AOT_INDUCTOR_", "PYTORCH_", "ORT_", "OV_"),
    *("GLIBC_TUNABLES", "NVIDIA_TF32_OVERRIDE"),
)
ENVIRONMENT_AT_START = dict(os.environ)  # the user's variables: libraries set more when they are imported
# They change no time. joblib sets the first for its workers, torch the second when it is imported.
HARMLESS_VARIABLES = ("KMP_INIT_AT_FORK", "TORCHINDUCTOR_CACHE_DIR")
DEVELOPER_EXTRAS = ("dev", "browser", "docs")  # extras that users do not need
# Extras whose packages change no call's time. Torch and torchvision do, and are noted separately.
NOT_EXECUTING = ("", "torch", "pipeline", "tracking", "report", "cluster")
PACKAGE_NAME_LETTERS = string.ascii_letters + string.digits + "-_."


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def tuning_variables(overridden: Collection[str] = ()) -> dict[str, str]:
    """Return the user's environment variables that tune libraries.

    Args:
        overridden: variables to leave out, because a hardware plugin sets them.
    """
    return {
        name: redact(value)
        for name, value in sorted(ENVIRONMENT_AT_START.items())
        if name.startswith(TUNING_PREFIXES) and name not in {*overridden, *HARMLESS_VARIABLES}
    }


@cache
def collect() -> dict[str, object]:
    """Return facts about this machine and the installed versions; tables call the machine `name`."""
    processor, flags = _processor(), features()
    # The cores of the machine, not only those that this process is bound to.
    facts: dict[str, object] = {
        "processor": processor,
        "cores": os.cpu_count(),
        "flags": flags,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "gpu": _gpu(),
        # The compilers decide how variants are compiled here, and whether they can be.
        "compiler": _answer(os.environ.get("CXX", "g++"), "--version"),
        "cmake": _answer("cmake", "--version"),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: number for name in sorted(_packages()) if (number := version(name))},
    }
    return {"name": f"{processor}, {os.cpu_count()} cores, id {fingerprint(facts)[:6]}", **facts}


def features() -> list[str]:
    """Return the `PROCESSOR_FLAGS` that the processor has; none if the system has no /proc/cpuinfo."""
    fields = _cpuinfo()
    processor_flags = (fields.get("flags") or fields.get("Features") or "").split()
    return [flag for flag in PROCESSOR_FLAGS if flag in processor_flags]


def _processor() -> str:
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


@cache
def _cpuinfo() -> dict[str, str]:
    """Return the fields of the first core in /proc/cpuinfo; {} if there is no such file."""
    lines = CPUINFO.read_text(encoding="utf-8").splitlines() if CPUINFO.exists() else []
    pairs = [line.partition(":") for line in reversed(lines)]
    return {key.strip(): value.strip() for key, _, value in pairs}


def _gpu() -> list[str]:
    """Return the name, the memory and the driver of each GPU."""
    query = ("--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
    return _lines("nvidia-smi", *query)


def _answer(*command: str) -> str:
    """Return the first line that a program prints; "" if it is missing or fails."""
    return next(iter(_lines(*command)), "")


def _lines(*command: str) -> list[str]:
    if not (program := shutil.which(command[0])):
        return []
    answer = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    return answer.stdout.strip().splitlines() if answer.returncode == 0 else []


def _packages() -> set[str]:
    """Return the packages that can execute a model: numpy, torch, and those of runtimes and toolchains."""
    extras = {name for extra, names in requirements().items() if extra not in NOT_EXECUTING for name in names}
    return {"numpy", "torch", "torchvision", "onnxruntime-gpu", *extras}


def requirements() -> dict[str, list[str]]:
    """Return extra -> its packages, without the developers' extras; "" holds the packages of every install.

    Return {} if Breakeven runs from a checkout that is not installed.
    """
    lines: list[str] = []
    with contextlib.suppress(metadata.PackageNotFoundError):
        lines = metadata.requires("breakeven") or []
    packages_by_extra: dict[str, list[str]] = {}
    for line in lines:
        extra = line.partition("extra == ")[2].strip("\"' ")
        package = line[: len(line) - len(line.lstrip(PACKAGE_NAME_LETTERS))]
        if extra not in DEVELOPER_EXTRAS and package != "breakeven":  # an extra of extras
            packages_by_extra.setdefault(extra, []).append(package)
    return packages_by_extra


def version(package: str) -> str | None:
    """Return the version of a package; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
