"""Runtimes on other devices than the processor: moved there, or `unsupported`, never elsewhere unasked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from breakeven.artifacts import artifact, saved_model
from breakeven.core.errors import Unsupported
from breakeven.engine.selftest.models import CNN, write
from breakeven.engine.worker_pool import WorkerPool
from breakeven.plugins.quantization.base import CalibrationData
from breakeven.plugins.quantization.torch_fx import Fx
from breakeven.plugins.runtimes import onnxruntime
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Session
from breakeven.plugins.runtimes.eager import Eager
from breakeven.plugins.runtimes.onnxruntime import OnnxRuntime
from breakeven.plugins.runtimes.torchscript import TorchScript

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("threads")]
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use")
CPU, GPU = ExecutionContext("cpu", 1), ExecutionContext("cuda:0", 1)
FROZEN = {"name": "torchscript", "method": "trace", "freeze": True}
ONNX = OnnxRuntime(name="onnxruntime")
INPUTS = (CNN.images(4) / 255).astype(np.float32)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("artifacts")
    made = {name: write(CNN, name, folder / name) for name in ("eager", "onnxruntime")}
    return {**made, "torchscript": write(CNN, "torchscript", folder / "torchscript", FROZEN)}


@pytest.fixture(scope="module", params=["static", "dynamic"])
def int8(
    request: pytest.FixtureRequest, artifacts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An artifact of torch.ao's."""
    folder = tmp_path_factory.mktemp("int8")
    model, _ = saved_model.load(artifacts["eager"])
    source = ExportInput(model, torch.from_numpy(INPUTS), artifacts["eager"], "outside")
    fx = Fx(name="fx", runtime="torchscript", scheme=request.param)
    fx.quantize(
        CalibrationData(INPUTS, INPUTS, np.zeros(len(INPUTS), np.int64)),
        TorchScript(**FROZEN),
        source,
        folder,
    )
    artifact.save(folder, artifact.seal(folder, replace(artifact.read(artifacts["torchscript"]), files={})))
    return folder


@pytest.fixture
def threads() -> Iterator[None]:
    """Runtimes set torch's, here in the tests' own process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def logits(session: Session) -> np.ndarray:
    return session.result(session.run(session.prepare(INPUTS)))


def test_torch_moves_model_and_inputs(artifacts: dict[str, Path]) -> None:
    place = ExecutionContext("meta", 1)  # the one device besides the processor that every machine has
    session = Eager(name="eager").load(artifacts["eager"], place, "outside")
    assert session.run(session.prepare(INPUTS)).device.type == "meta"


def test_int8_torchscript_is_the_processors_only(int8: Path, artifacts: dict[str, Path]) -> None:
    runtime = TorchScript(**FROZEN)
    with pytest.raises(Unsupported, match=r"torch.ao's int8 runs on cpu only, not on cuda"):
        runtime.start(int8, GPU)
    runtime.start(int8, CPU)
    assert np.isfinite(logits(runtime.load(int8, CPU, "outside"))).all()
    runtime.start(artifacts["torchscript"], GPU)  # floating point runs anywhere


@gpu
def test_int8_torchscript_costs_its_row_on_the_gpu(int8: Path) -> None:
    hardware = {"name": "cuda", "threads": 1}
    with (
        WorkerPool(hardware, 120) as nursery,
        nursery.worker(int8) as worker,
        pytest.raises(Unsupported, match="int8"),
    ):
        worker.answer()


def test_onnxruntime_without_the_provider_is_unsupported(
    artifacts: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(Unsupported, match="has no CUDAExecutionProvider, only CPUExecutionProvider: "):
        ONNX.start(artifacts["onnxruntime"], GPU)
    with pytest.raises(Unsupported, match="runs on cpu and cuda only, not on xpu"):
        ONNX.start(artifacts["onnxruntime"], ExecutionContext("xpu:0", 1))
    ONNX.start(artifacts["onnxruntime"], CPU)


def test_onnxruntime_does_not_go_on_with_another_provider_unasked(
    artifacts: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxruntime.InferenceSession.get_providers", lambda session: [])
    with pytest.raises(Unsupported, match="cannot start its CPUExecutionProvider"):
        ONNX.load(artifacts["onnxruntime"], CPU, "outside")


def test_bound_inputs_give_the_same_logits(
    artifacts: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = logits(ONNX.load(artifacts["onnxruntime"], CPU, "outside"))
    monkeypatch.setitem(onnxruntime.SESSION_FACTORIES, "cpu", onnxruntime.SESSION_FACTORIES["cuda"])
    np.testing.assert_array_equal(logits(ONNX.load(artifacts["onnxruntime"], CPU, "outside")), expected)


@gpu
def test_onnxruntime_on_the_gpu_gives_the_processors_logits(artifacts: dict[str, Path]) -> None:
    expected = logits(ONNX.load(artifacts["onnxruntime"], CPU, "outside"))
    try:
        ONNX.start(artifacts["onnxruntime"], GPU)
    except Unsupported as error:
        pytest.skip(str(error))
    found = logits(ONNX.load(artifacts["onnxruntime"], GPU, "outside"))
    np.testing.assert_allclose(found, expected, atol=0.01 * np.abs(expected).max())
