"""Methods of calibration, on values with long tails: the largest that an artifact tells ends its range."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from shipped_options import RUNTIMES, TOOLCHAINS
from torch import nn

from breakeven.core import plugin
from breakeven.core.errors import UserError
from breakeven.plugins.quantization._onnxruntime_ranges import write_ranges
from breakeven.plugins.quantization.base import CalibrationData
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput

IMAGES = np.random.default_rng(0).standard_t(4, (96, 3, 32, 32)).astype(np.float32)
IMAGES = IMAGES[np.argsort(np.abs(IMAGES).max((1, 2, 3)))]  # the first batch does not know the largest
LARGEST = float(IMAGES.max())
STATIC = {name: own for name, own in TOOLCHAINS.items() if own["scheme"] == "static"}


def methods(name: str) -> tuple[str, ...]:
    allowed = type(plugin.load("quantization", STATIC[name], name)).model_fields["calibration"].annotation
    return tuple(get_args(allowed))


def model() -> nn.Module:
    """Gives back what it is given: its output ends where its range does."""
    convolution = nn.Conv2d(3, 3, 1)
    with torch.no_grad():
        convolution.weight.copy_(torch.eye(3)[..., None, None])
        assert convolution.bias is not None
        convolution.bias.zero_()
    return nn.Sequential(convolution, nn.Flatten()).eval()


def artifact(name: str, method: str, folder: Path) -> Any:
    """Made by the real toolchain for its real runtime, and called."""
    toolchain = plugin.load("quantization", {**STATIC[name], "calibration": method}, name)
    runtime = plugin.load("runtimes", RUNTIMES[toolchain.runtime], name)
    source = ExportInput(model(), torch.from_numpy(IMAGES[:2]), folder, "outside")
    examples = CalibrationData(IMAGES, IMAGES[:8], np.zeros(8, np.int64))
    toolchain.quantize(examples, runtime, source, folder)
    if toolchain.runtime == "torch_compile":  # the program that it would compile for half a minute
        program = torch.export.load(folder / "model.pt2").module()
        return lambda images: program(torch.from_numpy(images)).detach().numpy()
    place = ExecutionContext("cpu", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ExecuTorch calls itself experimental when it is imported
        runtime.start(folder, place)
    return runtime.load(folder, place, "outside").logits


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if "executorch" in name else []) for name in STATIC],
)
@pytest.mark.usefixtures("threads")
@pytest.mark.slow
def test_each_method_gives_another_range(name: str, tmp_path: Path) -> None:
    ends = {}
    for method in methods(name):
        (folder := tmp_path / method).mkdir()
        run = artifact(name, method, folder)
        assert np.abs(run(IMAGES[:2]) - IMAGES[:2].reshape(2, -1)).mean() < 0.3
        ends[method] = float(run(np.full_like(IMAGES[:2], 9 * LARGEST)).max())
    all_that_was_seen = ends.pop("MinMax")
    assert all_that_was_seen > 0.97 * LARGEST
    assert ends and max(ends.values()) < 0.9 * all_that_was_seen
    assert len({round(end, 3) for end in ends.values()}) == len(ends)


@pytest.mark.parametrize("method", ["MinMax", "Percentile", "Entropy"])
def test_any_number_of_images_calibrates_and_one_batch_is_in_memory_at_once(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onnxruntime.quantization.calibrate import HistogramCollector

    held: list[int] = []
    collect = HistogramCollector.collect

    def spy(self: object, arrays: dict[str, list[np.ndarray]]) -> None:
        held.append(max(sum(map(len, batches)) for batches in arrays.values()))
        collect(self, arrays)

    monkeypatch.setattr(HistogramCollector, "collect", spy)
    monkeypatch.setattr(f"{__name__}.IMAGES", IMAGES[:75])  # two batches and a part of one
    run = artifact("onnxruntime_static", method, tmp_path)
    assert run(IMAGES[:2]).shape == (2, 3 * 32 * 32)
    assert sum(held) == (0 if method == "MinMax" else 75) and max(held, default=0) <= 32


@pytest.mark.parametrize("method", ["Percentile", "Entropy"])
def test_the_order_of_the_images_does_not_change_a_range(method: str, tmp_path: Path) -> None:
    source, ranges = ExportInput(model(), torch.from_numpy(IMAGES[:2]), tmp_path, "outside"), []
    plugin.load("runtimes", RUNTIMES["onnxruntime"], "onnxruntime").export(source, tmp_path)
    faint = np.concatenate([1e-6 * IMAGES[:32], IMAGES])  # so narrow bins would be millions
    for images in (faint, faint[::-1]):
        written = write_ranges(tmp_path / "model.onnx", images, method)  # type: ignore[arg-type]
        assert written.stat().st_size < 1e6
        ranges.append(written.read_text())
    assert ranges[0] == ranges[1]


@pytest.mark.parametrize("name", STATIC)
def test_a_method_that_a_toolchain_lacks_is_refused_with_those_that_it_has(name: str) -> None:
    with pytest.raises(UserError, match=r"calibration=Guess: .*'MinMax'"):
        plugin.load("quantization", {**STATIC[name], "calibration": "Guess"}, name)


@pytest.mark.parametrize("name", sorted(TOOLCHAINS.keys() - STATIC.keys()))
def test_a_dynamic_scheme_has_nothing_to_calibrate(name: str) -> None:
    with pytest.raises(UserError, match="ranges at run time, and calibrates nothing"):
        plugin.load("quantization", {**TOOLCHAINS[name], "calibration": "MinMax"}, name)
