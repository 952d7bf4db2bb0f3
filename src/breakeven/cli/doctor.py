"""What is installed, and what this machine can do."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil

from breakeven.core import paths, system_info
from breakeven.plugins.quantization.base import INT8
from breakeven.tracking import client

# What an instruction set is good for: any of the flags will do
ABILITIES = {
    "fast int8 (VNNI, AMX, or ARM's dot products)": INT8,
    "fast bf16 (AVX-512 BF16, AMX, or ARM's)": ("avx512_bf16", "amx_bf16", "bf16"),
    "wide vectors (AVX2, AVX-512 or NEON)": ("avx2", "avx512f", "asimd"),
}
BUSY = 10  # percent of the processors


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    what: str
    fine: bool
    remedy: str = ""


def examine() -> Iterator[Check]:
    """Look at everything."""
    facts = system_info.collect()
    yield Check(f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB of memory", True)
    yield from _abilities(facts)
    yield from _packages()
    yield from _programs(facts)
    yield from _surroundings()


def _abilities(facts: dict[str, Any]) -> Iterator[Check]:
    for ability, flags in ABILITIES.items():
        found = [flag for flag in flags if flag in facts["flags"]]
        said = f"{ability}: {', '.join(found) if found else 'not on this processor'}"
        yield Check(said, bool(found), "quantized and bf16 variants may well be slower than fp32 here")
    gpus: list[str] = facts["gpu"]
    if not gpus:
        yield Check("GPU: none seen by nvidia-smi", False, "hardware=cuda is unsupported")
        return
    remedy = 'python -c "import torch; torch.cuda.init()" says why torch cannot use it'
    yield Check(f"GPU: {'; '.join(gpus)}", _torch_sees_it(), remedy)


def _torch_sees_it() -> bool:
    try:
        import torch
    except (ImportError, OSError):
        return False
    return torch.cuda.is_available()


def _packages() -> Iterator[Check]:
    """Each extra, whole or not."""
    required = system_info.requirements()
    if not required:
        yield Check("breakeven is not installed", False, "pip install -e . (or `make repro`)")
    for extra, names in sorted(required.items()):
        known = {name: system_info.version(name) for name in names}
        missing = [name for name, version in known.items() if not version]
        if extra:
            listed = ", ".join(f"{name} {version or 'is missing'}" for name, version in known.items())
            yield Check(f"{extra}: {listed}", not missing, f"pip install 'breakeven[{extra}]'")
        elif missing:
            yield Check(f"packages: {', '.join(missing)} missing", False, "pip install breakeven")
        else:
            yield Check(
                f"packages: torch {known['torch']}, dvc {known['dvc']}, mlflow {known['mlflow']}", True
            )


def _programs(facts: dict[str, Any]) -> Iterator[Check]:
    """What compiles, and what keeps versions."""
    needs = {
        "compiler": (
            "a C++ compiler",
            "apt install g++: without one, torch.compile and LibTorch are unsupported",
        ),
        "cmake": ("CMake", "apt install cmake: without it, LibTorch is unsupported"),
    }
    for key, (name, remedy) in needs.items():
        yield Check(f"{name}: {facts[key] or 'not found'}", bool(facts[key]), remedy)
    git = shutil.which("git")
    yield Check(f"git: {git or 'not found'}", bool(git), "apt install git: DVC's experiments need it")


def _surroundings() -> Iterator[Check]:
    roots = paths.raw_roots()
    there = [root for root in roots if root.is_dir()]
    yield Check(
        f"data: {', '.join(map(str, there)) or 'no folder of datasets'}",
        bool(there),
        f"digits needs none; others are looked for in {roots[0]} and in $BREAKEVEN_DATA, then downloaded",
    )
    busy = psutil.cpu_percent(interval=1.0)
    yield Check(
        f"processors in use by others: {busy:.0f}%", busy < BUSY, "end other programs before measuring"
    )
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    yield Check(f"load of the last minute: {load:.1f}", load < (os.cpu_count() or 1), "wait for it to fall")
    free = shutil.disk_usage(paths.home()).free / 1e9
    yield Check(f"free disk space: {free:.0f} GB", free > 10, "the reference study writes about 5 GB")
    try:
        if not client.is_local():
            client.require_listener(client.address())
        yield Check(f"MLflow: {client.address()}", True)
    except client.Unreachable as error:
        yield Check(f"MLflow: {client.address()}: {error}", False, "start it, or unset MLFLOW_TRACKING_URI")
