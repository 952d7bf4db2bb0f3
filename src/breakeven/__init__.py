"""Breakeven: which optimization of a PyTorch model pays off, where, and at what cost in accuracy."""

import os

__version__ = "0.1.0"

# Libraries that report home do it from threads of their own, in the middle of a measurement: onnxruntime
# (since 1.29) and mlflow. Who wants that sets these otherwise.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
