"""The lines that load an artifact are programs: they run as they stand, and give the artifact's logits."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from model_cards import LOADED_RUNTIMES as SETTINGS
from model_cards import UNTRAINED as CARD
from rows import row

from breakeven.artifacts.model_manifest import TextInput
from breakeven.engine.selftest import models
from breakeven.report.load_snippet import Loading, snippets


@pytest.mark.parametrize("runtime", SETTINGS)
def test_both_ways_to_load_an_artifact_give_the_same_logits(tmp_path: Path, runtime: str) -> None:
    folder = tmp_path / f"artifacts/export/cnn/none--fp32--{runtime}"
    models.write(models.CNN, runtime, folder, SETTINGS[runtime])
    np.save(tmp_path / "image.npy", models.CNN.images(1))
    own, native = snippets(row(f"none/fp32/{runtime}"), [CARD], Loading(SETTINGS))
    assert (own.title, native.title) == ("with Breakeven", "without Breakeven")
    first, second = (logits(tmp_path, each.text) for each in (own, native))
    assert first.shape == (1, 10) and np.ptp(first) > 0
    assert np.allclose(first, second, atol=1e-4)


def logits(folder: Path, program: str) -> np.ndarray:
    """Run a snippet on a real image in place of its example."""
    real = program.replace("np.zeros((1, 1, 28, 28), np.uint8)", "np.load('image.npy')")
    assert real != program
    program = f"{real}\nnp.save('logits.npy', logits)"
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=folder, check=True)
    return np.load(folder / "logits.npy")


def test_an_artifact_with_its_preprocessing_inside_gets_its_images_as_they_are() -> None:
    chosen = row("none/fp32/onnxruntime")
    outside, inside = (
        snippets(chosen, [CARD], Loading(SETTINGS, where))[1].text for where in ("outside", "inside")
    )
    assert "/ 255 - mean) / std" in outside and "255 -" not in inside


def test_a_runtime_with_a_precision_in_its_key_is_loaded_in_that_precision() -> None:
    loading = Loading(
        {"openvino": {"name": "openvino"}, "openvino_bf16": {"name": "openvino", "precision": "bf16"}}
    )
    wide, narrow = (
        snippets(row(f"none/{precision}/openvino"), [CARD], loading)[1].text for precision in ("fp32", "bf16")
    )
    assert '"INFERENCE_PRECISION_HINT": "f32"' in wide and '"INFERENCE_PRECISION_HINT": "bf16"' in narrow


def test_texts_are_tokens_and_an_unknown_model_has_no_snippet() -> None:
    texts = replace(CARD, shape=TextInput(length=64, vocabulary=100, classes=2), mean=[], std=[])
    chosen = row("none/int8-dynamic/onnxruntime")
    native = snippets(chosen, [texts], Loading(SETTINGS))[1].text
    assert "np.zeros((1, 64), np.int64)" in native and "mean" not in native
    assert "one input at a time" in native
    assert snippets(chosen, [], Loading()) == [] and snippets(None, [CARD], Loading()) == []


def test_a_runtime_that_python_loads_in_no_other_way_has_only_the_snippet_with_breakeven() -> None:
    (only,) = snippets(row("none/fp32/executorch"), [CARD], Loading({"executorch": {"name": "executorch"}}))
    assert only.title == "with Breakeven"


def test_a_snippet_says_which_sizes_may_vary_and_what_the_task_gives() -> None:
    length = {"name": "length", "least": 4, "most": 128, "step": 1, "axes": [[0, 0]]}
    shape = TextInput(length=64, vocabulary=100, classes=1)
    task = {"name": "regression"}
    texts = replace(CARD, shape=shape, mean=[], std=[], varying=[length], task=task)
    own, native = snippets(row("none/fp32/onnxruntime"), [texts], Loading(SETTINGS))
    for snippet in (own, native):
        assert "# your N x L tokens; length 4 to 128\n" in snippet.text
        assert "outputs" in snippet.text and "logits" not in snippet.text
