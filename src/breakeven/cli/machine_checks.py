"""The checks of `breakeven doctor`: what is installed, and what this machine can do."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from breakeven.core import paths, system_info
from breakeven.core.extras import install_command
from breakeven.plugins.quantization.base import INT8_FLAGS
from breakeven.tracking.address import Unreachable, address, is_local, require_listener, shown_address

# Ability -> the processor's flags, one of which is enough
PROCESSOR_ABILITIES = {
    "fast int8 (VNNI, AMX, or ARM's dot products)": INT8_FLAGS,
    "fast bf16 (AVX-512 BF16, AMX, or ARM's)": ("avx512_bf16", "amx_bf16", "bf16"),
    "wide vectors (AVX2, AVX-512 or NEON)": ("avx2", "avx512f", "asimd"),
}
GPU_EXTRAS = ("tensorrt",)
BUSY_PERCENT = 10  # most use of all processors by other programs


@dataclass(frozen=True)
class Check:
    """The result of one check."""

    what: str
    fine: bool
    remedy: str = ""
    needed: bool = False  # whether nothing works without it


def examine() -> Iterator[Check]:
    """Yield the result of each check."""
    facts = system_info.collect()
    yield Check(f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB of memory", True)
    yield from _abilities(facts)
    yield from _packages(has_gpu=bool(facts["gpu"]))
    yield from _programs(facts)
    yield from _data_load_and_services()


def summary(checks: Sequence[Check]) -> str:
    """Return in one line whether Breakeven works here, and which checks failed."""
    failed = [check for check in checks if not check.fine]
    if not failed:
        return "Ready: every check is fine."
    is_ready = not any(check.needed for check in failed)
    names = "; ".join(check.what.partition(":")[0].partition(" (")[0] for check in failed)
    if not is_ready:
        return f"Not ready: first mend what is marked -- above ({names})."
    return f"Ready. What is marked -- limits what can be measured here, or how well: {names}."


def _abilities(facts: dict[str, Any]) -> Iterator[Check]:
    for ability, flags in PROCESSOR_ABILITIES.items():
        present = [flag for flag in flags if flag in facts["flags"]]
        line = f"{ability}: {', '.join(present) if present else 'not on this processor'}"
        yield Check(line, bool(present), "quantized and bf16 variants may well be slower than fp32 here")
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


def _packages(has_gpu: bool) -> Iterator[Check]:
    """Yield a check of each extra, but not of those for a GPU if there is none."""
    required = system_info.requirements()
    if not required:
        yield Check(
            "breakeven is not installed", False, f"{install_command()} (or `make setup`)", needed=True
        )
    for extra, names in sorted(required.items()):
        if extra in GPU_EXTRAS and not has_gpu:
            continue
        versions = {name: system_info.version(name) for name in names}
        missing = [name for name, version in versions.items() if not version]
        if extra or not missing:
            listed = ", ".join(f"{name} {version or 'is missing'}" for name, version in versions.items())
            title = extra or "packages"
            yield Check(f"{title}: {listed}", not missing, install_command(extra))
        else:
            yield Check(f"packages: {', '.join(missing)} missing", False, install_command(), needed=True)


def _programs(facts: dict[str, Any]) -> Iterator[Check]:
    """Yield checks of the compiler, CMake and git."""
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


def _data_load_and_services() -> Iterator[Check]:
    roots = paths.raw_roots()
    existing = [root for root in roots if root.is_dir()]
    yield Check(
        f"data: {', '.join(map(str, existing)) or 'no folder of datasets'}",
        bool(existing),
        f"digits needs none; others are looked for in {roots[0]} and in $BREAKEVEN_DATA, then downloaded",
    )
    busy = psutil.cpu_percent(interval=1.0)
    idle = busy < BUSY_PERCENT
    yield Check(f"processors in use by others: {busy:.0f}%", idle, "end other programs before measuring")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    yield Check(f"load of the last minute: {load:.1f}", load < (os.cpu_count() or 1), "wait for it to fall")
    free = shutil.disk_usage(paths.home()).free / 1e9
    yield Check(f"free disk space: {free:.0f} GB", free > 10, "the reference study writes about 5 GB")
    try:
        if not is_local():
            require_listener(address())
        yield Check(f"MLflow: {shown_address()}", True)
    except Unreachable as error:
        yield Check(f"MLflow: {shown_address()}: {error}", False, "start it, or unset MLFLOW_TRACKING_URI")
