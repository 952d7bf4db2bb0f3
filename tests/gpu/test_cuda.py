"""CUDA: measured where there is a GPU, `unsupported` with its reason where there is none."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from project import Project

from breakeven.core.errors import Unsupported
from breakeven.engine.measure import measure_artifacts
from breakeven.engine.samples import Block, Replicate
from breakeven.engine.selftest.models import CNN, write
from breakeven.engine.settings import Budget
from breakeven.engine.worker_pool import WorkerPool
from breakeven.plugins.hardware.cuda import Cuda
from breakeven.report import static_svg
from breakeven.results.timing_parts import start_figures

pytestmark = pytest.mark.timeout(300)
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use")
ABSENT = {"name": "cuda", "threads": 1, "index": 99}  # whatever this machine has
PRESENT = {"name": "cuda", "threads": 1, "index": 0}
FROZEN = {"name": "torchscript", "method": "trace", "freeze": True}


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("artifacts")
    made = {name: write(CNN, name, folder / name) for name in ("eager", "onnxruntime")}
    return {**made, "torchscript": write(CNN, "torchscript", folder / "torchscript", FROZEN)}


@pytest.fixture
def pin(monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    """Without binding the tests' own process."""
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    return Cuda(**PRESENT).pin


def test_the_worker_sees_one_gpu_and_torch_is_not_imported_for_it() -> None:
    code = f"""
import sys
from breakeven.core import plugin
variables = plugin.load("hardware", {ABSENT}, "hardware.cuda").environment()
assert variables["CUDA_VISIBLE_DEVICES"] == "99" and variables["OMP_NUM_THREADS"] == "1", variables
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["eager", "onnxruntime"])
def test_without_the_gpu_a_worker_says_so(artifacts: dict[str, Path], name: str) -> None:
    with (
        WorkerPool(ABSENT, 60) as nursery,
        nursery.worker(artifacts[name]) as worker,
        pytest.raises(Unsupported) as error,
    ):
        worker.answer()
    assert "\n" not in str(error.value)
    assert "without CUDA" in str(error.value) or "CUDA device 99 cannot be used: " in str(error.value)


def test_without_the_gpu_every_variant_is_unsupported(artifacts: dict[str, Path]) -> None:
    measured = measure_artifacts(artifacts, ABSENT, Budget(seconds=0, seconds_per_variant=0), CNN.images(1))
    found = measured.findings.of
    assert list(found) == ["eager", "twin", "onnxruntime", "torchscript"]
    assert {finding.verdict for finding in found.values()} == {"unsupported"}
    assert all("CUDA" in finding.reason for finding in found.values())
    assert (measured.stopped, measured.warnings) == ("baseline unsupported", [])


@pytest.mark.slow
def test_a_study_with_a_hardware_that_is_not_there_completes(project: Project) -> None:
    project.run("breakeven", "compose", "study=tiny", "hardware=[cpu1,cuda]", "hardware.cuda.index=99")
    done = project.run(sys.executable, "-m", "breakeven.pipeline", "benchmark", "cnn", "cuda")
    records = json.loads((project.folder / "results/benchmark/cnn-cuda.json").read_text())["records"]
    rows = [record["row"] for record in records]
    assert f"{len(rows)} rows, {len(rows)} unsupported, 0 wrong, 0 failed" in done.stdout
    assert {"twin", "none/fp32/eager", "none/int8-static/onnxruntime"} <= {row["variant"] for row in rows}
    assert all("CUDA" in row["reason"] and row["latency_ms_p50"] is None for row in rows)
    shown = project.run(sys.executable, "-m", "breakeven.pipeline", "report").stdout
    assert rows[0]["reason"] in " ".join(shown.split()) and "cpu1" in shown


def test_memory_that_a_hardware_does_not_see_is_no_figure() -> None:
    replicate = Replicate(0, 0.1, 1.0, {}, blocks=[Block(0, [1.0], 1.0, 1.0, 0, 0.0)])
    assert start_figures([replicate]).peak_memory_mb is None
    replicate.peak_memory_mb = 3.0
    assert start_figures([replicate]).peak_memory_mb == 3.0


def test_nothing_measured_makes_a_picture_that_says_so(tmp_path: Path) -> None:
    static_svg.write_speedups(tmp_path / "speedup.svg", [])
    assert "nothing could be measured" in (tmp_path / "speedup.svg").read_text()


def test_a_torch_without_cuda_is_named(pin: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    with pytest.raises(Unsupported, match="built without CUDA"):
        pin()


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        (
            "Old driver (found 1). Update it.\nNo.",
            Unsupported,
            r"device 0 cannot be used: Old driver \(found 1\)$",
        ),
        ("CUDA error: out of memory", RuntimeError, "out of memory"),
    ],
)
def test_a_gpu_that_is_full_today_is_no_unsupported_one(
    pin: Callable[[], object], monkeypatch: pytest.MonkeyPatch, said: str, kind: type[Exception], told: str
) -> None:
    def ones(*_: object, **__: object) -> None:
        raise RuntimeError(said)

    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    monkeypatch.setattr(torch, "ones", ones)
    with pytest.raises(kind, match=told):
        pin()


@gpu
def test_events_time_the_gpu_and_waiting_ends_when_it_is_done() -> None:
    hardware = Cuda(**PRESENT)
    square = torch.rand(4096, 4096, device=hardware.device)
    hardware.synchronize()
    started, since = time.perf_counter(), hardware.mark()
    for _ in range(20):
        square = square @ square
    asked = time.perf_counter() - started
    hardware.synchronize()
    assert asked < time.perf_counter() - started
    assert 0 < hardware.device_ms(since) < 1000 * (time.perf_counter() - started)


@gpu
def test_memory_is_the_allocators() -> None:
    hardware = Cuda(**PRESENT)
    before = hardware.memory_mb()
    block = torch.zeros(16_000_000, dtype=torch.uint8, device=hardware.device)
    assert hardware.memory_mb() - before == pytest.approx(16, abs=0.01)
    del block
    assert hardware.memory_mb() == pytest.approx(before)
    assert hardware.peak_memory_mb() >= before + 16


@gpu
@pytest.mark.parametrize("name", ["eager", "torchscript"])
def test_a_worker_on_the_gpu_gives_the_processors_logits(
    artifacts: dict[str, Path], tmp_path: Path, name: str
) -> None:
    images, out, found = str(tmp_path / "images.npy"), str(tmp_path / "logits.npy"), []
    np.save(images, CNN.images(4))
    for hardware in ({"name": "cpu", "threads": 1}, PRESENT):
        with WorkerPool(hardware, 120) as nursery, nursery.worker(artifacts[name]) as worker:
            loaded = worker.ask("load", images=images, batch_size=4, compare=False)
            worker.ask("predict", images=images, out=out)
            block = worker.ask("block", calls=3, settle=1, callers=1)
            crowd = worker.ask("block", calls=3, settle=1, callers=2)
            peak = worker.ask("memory")["peak_memory_mb"]
        found.append(np.load(out))
    assert loaded["affinity"]["gpu"] == torch.cuda.get_device_name(0)
    assert block["device_ms"] > 0 and len(crowd["calls_ms"]) == 6
    assert 0 < peak < 1000
    np.testing.assert_allclose(found[1], found[0], atol=0.01 * np.abs(found[0]).max())
