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

# Imported when first used, so that `import breakeven` is quick and needs neither numpy nor torch.
_HOMES = {
    "Budget": "breakeven.engine.settings",
    "Result": "breakeven.engine.result",
    "Scenario": "breakeven.engine.settings",
    "load_variant": "breakeven.engine.loaded_variant",
    "measure": "breakeven.engine.api",
}

# Libraries that report home do it from threads of their own, in the middle of a measurement: onnxruntime
# (since 1.29) and mlflow. Whoever wants these reports sets the variables otherwise.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'breakeven' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
