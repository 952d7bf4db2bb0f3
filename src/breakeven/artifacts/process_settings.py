"""The settings of a process that a model's code can change, and that decide what is measured.

Inference scripts often set threads or a default type when they are imported. Whatever imports or constructs
a model does it inside of `kept`, which sets these settings back.
"""

import gc
import operator
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch

from breakeven.core.system_info import HARMLESS_VARIABLES, TUNING_PREFIXES

SEED = "torch.manual_seed"


class Setting(NamedTuple):
    """How to read a setting, and how to set it."""

    read: Callable[[], Any]
    write: Callable[[Any], object]


def _attribute(owner: Any, name: str) -> Setting:
    return Setting(partial(getattr, owner, name), partial(setattr, owner, name))


def _flushes_denormals() -> bool:
    return float(torch.full((1,), 1e-40, dtype=torch.float32, device="cpu") * 1) == 0


def _set_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)  # None removes torch's mode


def _matmul_precision() -> str:
    """Return torch's precision of matrix products; nothing where each backend has its own."""
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:  # the backends' own settings are below
        return ""


def _set_matmul_precision(value: str) -> None:
    if value:
        torch.set_float32_matmul_precision(value)


def _environment() -> dict[str, str]:
    tuning = {name: value for name, value in os.environ.items() if name.startswith(TUNING_PREFIXES)}
    return {name: value for name, value in tuning.items() if name not in HARMLESS_VARIABLES}


def _set_environment(values: Mapping[str, str]) -> None:
    for name in _environment().keys() - values.keys():
        del os.environ[name]
    os.environ.update(values)


def _set_collection(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()


SETTINGS: dict[str, Setting] = {
    "torch.set_num_threads": Setting(torch.get_num_threads, torch.set_num_threads),
    SEED: Setting(torch.initial_seed, torch.manual_seed),
    "torch.set_default_dtype": Setting(torch.get_default_dtype, torch.set_default_dtype),
    "torch.set_default_device": Setting(torch.get_default_device, _set_device),
    "torch.set_grad_enabled": Setting(torch.is_grad_enabled, torch.set_grad_enabled),
    "torch.set_flush_denormal": Setting(_flushes_denormals, torch.set_flush_denormal),
    "torch.set_float32_matmul_precision": Setting(_matmul_precision, _set_matmul_precision),
    "torch.use_deterministic_algorithms": Setting(
        torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms
    ),
    "torch.autograd.set_detect_anomaly": Setting(torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    "torch.backends.mkldnn.enabled": _attribute(torch.backends.mkldnn, "enabled"),
    "torch.backends.cudnn.enabled": _attribute(torch.backends.cudnn, "enabled"),
    "torch.backends.cudnn.benchmark": _attribute(torch.backends.cudnn, "benchmark"),
    "torch.backends.cudnn.deterministic": _attribute(torch.backends.cudnn, "deterministic"),
    "torch.backends.mha.set_fastpath_enabled": Setting(
        torch.backends.mha.get_fastpath_enabled, torch.backends.mha.set_fastpath_enabled
    ),
    "gc": Setting(gc.isenabled, _set_collection),
    "os.environ": Setting(_environment, _set_environment),
}
if hasattr(os, "sched_getaffinity"):
    SETTINGS["os.sched_setaffinity"] = Setting(
        partial(os.sched_getaffinity, 0), partial(os.sched_setaffinity, 0)
    )

# The general one first: the others follow it until they are set.
PLACES = (
    "",
    "cuda.matmul.",
    "cudnn.conv.",
    "cudnn.rnn.",
    "mkldnn.matmul.",
    "mkldnn.conv.",
    "mkldnn.rnn.",
)
SETTINGS |= {
    f"torch.backends.{place}fp32_precision": _attribute(owner, "fp32_precision")
    for place in PLACES
    for owner in [operator.attrgetter(f"backends.{place}".rstrip("."))(torch)]
    if hasattr(owner, "fp32_precision")  # since torch 2.9
}

_changed: dict[str, str] = {}  # of this process: setting -> the value that a model's code gave it


def read() -> dict[str, Any]:
    """Return the value of each setting."""
    return {name: setting.read() for name, setting in SETTINGS.items()}


def restore(before: Mapping[str, Any]) -> None:
    """Set each setting back that has another value than `before`, and remember it for `changed`."""
    now = read()
    for name, value in before.items():
        if now[name] not in (value, ""):
            _changed[name] = _shown(name, value, now[name])
    for name, value in before.items():  # one after the other: some follow others
        if SETTINGS[name].read() != value:
            SETTINGS[name].write(value)


@contextmanager
def kept() -> Iterator[None]:
    """Set back, at the end of the `with` block, what the block changed."""
    before = read()
    try:
        yield
    finally:
        restore(before)


def changed() -> str:
    """Return what models' code has set in this process, and what was set back; empty if nothing was."""
    return ", ".join(f"{name} ({value})" for name, value in _changed.items())


def _shown(name: str, before: Any, now: Any) -> str:
    if isinstance(now, dict):
        now = " ".join(f"{key}={value}" for key, value in sorted(now.items() - before.items()))
    return str(sorted(now) if isinstance(now, set) else now)
