"""Breakeven: which optimization of a PyTorch model pays off, where, and at what cost in accuracy."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from breakeven.engine.api import measure
    from breakeven.engine.loaded_variant import load_variant
    from breakeven.engine.result import Result
    from breakeven.engine.settings import Budget, Scenario

__version__ = "0.1.0"
__all__ = ["Budget", "Result", "Scenario", "__version__", "load_variant", "measure"]

# These are imported at first use. So `import breakeven` is quick, and needs neither numpy nor torch.
_HOMES = {
    "Budget": "breakeven.engine.settings",
    "Result": "breakeven.engine.result",
    "Scenario": "breakeven.engine.settings",
    "load_variant": "breakeven.engine.loaded_variant",
    "measure": "breakeven.engine.api",
}

# onnxruntime (from 1.29 on) and mlflow send telemetry from threads of their own, which disturbs measurements.
# A user who wants the telemetry sets these variables to another value.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'breakeven' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
