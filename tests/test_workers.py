"""Workers that die, hang or err cost one row each, and none outlives its parent."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from conftest import Project

from breakeven.hardware.cpu import Cpu
from breakeven.measure.schedule import Plan, measure
from breakeven.measure.server import WorkerFailed
from breakeven.measure.workers import Nursery, WorkerProcess

pytestmark = pytest.mark.timeout(300)
CPU1 = {"name": "cpu", "threads": 1}


@pytest.fixture(scope="module")
def artifacts(reproduced: tuple[Project, str]) -> Path:
    return reproduced[0].folder / "artifacts"


@pytest.fixture(scope="module")
def onnx(artifacts: Path) -> Path:
    """The artifact that starts fastest: it needs no torch."""
    return artifacts / "export/cnn/none--fp32--onnxruntime"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "images.npy"
    np.save(path, np.zeros((4, 1, 8, 8), np.uint8))
    return path


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    with Nursery(CPU1, 60) as nursery:
        yield nursery


@pytest.fixture
def worker(nursery: Nursery, onnx: Path) -> Iterator[WorkerProcess]:
    with nursery.worker(onnx) as worker:
        yield worker


def test_measuring_gives_every_block_of_every_replicate(artifacts: Path, onnx: Path, images: Path) -> None:
    variants = {"a": onnx, "twin": onnx, "int8": artifacts / "quantize/cnn/none--int8-static--onnxruntime"}
    plan = Plan(replicates=2, rounds=3, block_ms=1, timeout_s=60, seed=0)
    samples = measure(variants, CPU1, images, 2, plan)
    for measured in samples.values():
        assert (measured.status, len(measured.replicates)) == ("ok", 2)
        for replicate in measured.replicates:
            assert len(replicate.blocks) == 3
            assert replicate.load_s > 0 and replicate.first_call_ms > 0 and replicate.peak_memory_mb > 0
            assert all(call > 0 for block in replicate.blocks for call in block.calls_ms)


@pytest.mark.parametrize(
    ("number", "reason"), [(signal.SIGSEGV, "killed by SIGSEGV"), (signal.SIGKILL, "killed by SIGKILL")]
)
def test_a_crash_is_named_with_its_signal(worker: WorkerProcess, number: signal.Signals, reason: str) -> None:
    worker.answer()
    os.kill(worker.pid, number)
    with pytest.raises(WorkerFailed, match=reason):
        worker.ask("memory")


def test_a_hang_ends_at_the_timeout(worker: WorkerProcess) -> None:
    worker.answer()
    os.kill(worker.pid, signal.SIGSTOP)
    worker.timeout_s = 1
    with pytest.raises(WorkerFailed, match="no answer within 1 s"):
        worker.ask("memory")


def test_an_exception_is_told(worker: WorkerProcess) -> None:
    with pytest.raises(WorkerFailed, match="FileNotFoundError"):
        worker.ask("load", images="nowhere.npy", batch_size=1)


def test_a_dead_worker_leaves_the_others_of_its_server(nursery: Nursery, onnx: Path) -> None:
    with nursery.worker(onnx) as first, nursery.worker(onnx) as second:
        first.answer()
        os.kill(first.pid, signal.SIGKILL)
        with pytest.raises(WorkerFailed, match="SIGKILL"):
            first.ask("memory")
        assert second.ask("memory")["peak_memory_mb"] >= 0


def test_a_library_that_kills_its_process_is_named_and_costs_what_it_held(
    nursery: Nursery, onnx: Path
) -> None:
    server = nursery.prepare(onnx)
    with nursery.worker(onnx) as lost:
        lost.answer()
        server.process.kill()
        with pytest.raises(WorkerFailed, match="was killed by SIGKILL"):
            WorkerProcess(server, CPU1, onnx, 60)
        with nursery.worker(onnx) as next_one:  # of a new server
            assert next_one.answer() == {}
    assert nursery.prepare(onnx) is not server


def test_a_twin_has_a_server_of_its_own(nursery: Nursery, onnx: Path) -> None:
    assert nursery.prepare(onnx, 0) is nursery.prepare(onnx)
    assert nursery.prepare(onnx, 1) is not nursery.prepare(onnx)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_forked_after_the_imports_works(artifacts: Path, images: Path, threads: int) -> None:
    """A thread that a library had started would be missing in the workers."""
    with Nursery({"name": "cpu", "threads": threads}, 60) as nursery:
        for folder in (artifacts / "export/cnn").iterdir():
            with nursery.worker(folder) as worker:
                assert worker.ask("load", images=str(images), batch_size=4)["first_call_ms"] > 0
            # numpy's BLAS has its own, and ends them before a fork
            count = psutil.Process(nursery.prepare(folder).process.pid).num_threads()
            assert count <= threads, folder.name


def test_a_worker_has_only_its_own_libraries(nursery: Nursery, onnx: Path) -> None:
    with nursery.worker(onnx) as worker:
        worker.answer()
        loaded = {Path(m.path).name for m in psutil.Process(worker.pid).memory_maps()}
    assert not any(name.startswith("libtorch") for name in loaded)


def test_a_tampered_artifact_is_refused_by_name(nursery: Nursery, onnx: Path, tmp_path: Path) -> None:
    shutil.copytree(onnx, tmp_path / "copy")
    with (tmp_path / "copy/model.onnx").open("ab") as file:
        file.write(b"x")
    with nursery.worker(tmp_path / "copy") as worker, pytest.raises(WorkerFailed, match="was changed"):
        worker.answer()


def test_a_variant_that_dies_costs_its_own_row(onnx: Path, images: Path, tmp_path: Path) -> None:
    shutil.copytree(onnx, tmp_path / "bad")
    (tmp_path / "bad/model.onnx").write_bytes(b"no graph")
    card = json.loads((tmp_path / "bad/artifact.json").read_text())
    card["files"] = {}
    (tmp_path / "bad/artifact.json").write_text(json.dumps(card))
    plan = Plan(replicates=2, rounds=3, block_ms=1, timeout_s=60, seed=0)
    samples = measure({"good": onnx, "bad": tmp_path / "bad"}, CPU1, images, 1, plan)
    assert (samples["good"].status, len(samples["good"].replicates)) == ("ok", 2)
    assert samples["bad"].status == "failed" and samples["bad"].reason


def test_a_worker_killed_while_measuring_costs_its_own_row(onnx: Path, images: Path) -> None:
    plan = Plan(replicates=2, rounds=40, block_ms=20, timeout_s=60, seed=0)

    def kill_one() -> None:
        for _ in range(400):
            servers = psutil.Process().children()
            workers = [worker for server in servers for worker in server.children()]
            busy = [worker for worker in workers if worker.cpu_times().user > 0.2]
            if len(busy) >= 2:
                busy[0].kill()
                return
            time.sleep(0.02)

    killer = threading.Thread(target=kill_one)
    killer.start()
    samples = measure({"a": onnx, "b": onnx, "c": onnx}, CPU1, images, 1, plan)
    killer.join()
    statuses = sorted(measured.status for measured in samples.values())
    assert statuses == ["failed", "ok", "ok"]
    assert any("SIGKILL" in measured.reason for measured in samples.values())


def test_no_busy_worker_outlives_a_killed_parent(onnx: Path, images: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from breakeven.measure.workers import Nursery\n"
        f"nursery = Nursery({CPU1}, 60); worker = nursery.worker(Path({str(onnx)!r}))\n"
        f"worker.ask('load', images={str(images)!r}, batch_size=1); worker.send('block', calls=10**7)\n"
        "print(worker.pid, flush=True); time.sleep(100)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_more_threads_than_cores_is_recorded_not_fatal() -> None:
    facts = Cpu(name="cpu", threads=4096).pin()
    assert facts["pinned"] is False and "4096 threads" in facts["reason"]


def test_no_affinity_on_this_system_is_recorded_not_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    facts = Cpu(name="cpu", threads=1).pin()
    assert facts == {"pinned": False, "reason": "this system cannot set a process's affinity"}
