"""The manifest of a small model that nobody trained, and the runtimes that load its artifacts."""

from breakeven.artifacts.model_manifest import ImageInput, ModelManifest
from breakeven.engine.selftest import models

UNTRAINED = ModelManifest(
    family="cnn",
    recipe="none",
    title="random images",
    model=models.CNN.spec,
    shape=ImageInput(*models.CNN.image, classes=10),
    mean=[0.5],
    std=[0.5],
    parameters=0,
    macs=0,
    activations=0,
    val_score=0.0,
    test_score=0.0,
    train_s=0.0,
    made="untrained",
    key="",
)
LOADED_RUNTIMES = {
    "onnxruntime": {"name": "onnxruntime"},
    "openvino": {"name": "openvino"},
    "torchscript_frozen": {"name": "torchscript", "method": "trace", "freeze": True},
}
