"""How to load an artifact: the page shows the programs that the report shows."""

import re

import pytest
from project import ROOT
from rows import row

from breakeven.artifacts.model_manifest import ImageInput, ModelManifest
from breakeven.engine.selftest import models
from breakeven.report.load_snippet import Loading, snippets

CARD = ModelManifest(  # the CNN of the quick study
    family="cnn",
    recipe="none",
    title="digits",
    model=models.CNN.spec,
    shape=ImageInput(channels=1, height=8, width=8, classes=10),
    mean=[0.305233],
    std=[0.375918],
    parameters=0,
    macs=0,
    activations=0,
    val_accuracy=0.0,
    test_accuracy=0.0,
    train_s=0.0,
    made="untrained",
    key="",
)
SETTINGS = {
    "onnxruntime": {"name": "onnxruntime"},
    "openvino": {"name": "openvino"},
    "torchscript_frozen": {"name": "torchscript", "method": "trace", "freeze": True},
}


@pytest.mark.parametrize("runtime", SETTINGS)
def test_the_page_shows_the_programs_of_the_report(runtime: str) -> None:
    programs = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/load.md").read_text(), re.M | re.S)
    own, native = snippets(row(f"none/fp32/{runtime}"), [CARD], Loading(SETTINGS))
    assert native.text.strip() + "\n" in programs
    if runtime == "onnxruntime":
        assert own.text.strip() + "\n" in programs
