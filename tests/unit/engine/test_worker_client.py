"""Workers that die, hang or err cost one row each, and none outlives its parent."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from breakeven.artifacts import artifact
from breakeven.engine.forkserver_client import WorkerFailed
from breakeven.engine.measure import measure_artifacts
from breakeven.engine.selftest.models import CNN
from breakeven.engine.settings import Budget
from breakeven.engine.worker_client import WorkerProcess
from breakeven.engine.worker_pool import WorkerPool
from breakeven.plugins.hardware import base
from breakeven.plugins.hardware.cpu import Cpu

pytestmark = pytest.mark.timeout(300)
CPU1 = {"name": "cpu", "threads": 1}


@pytest.fixture
def onnx(untrained: Path) -> Path:
    """The artifact that starts fastest: it needs no torch."""
    return untrained / "onnxruntime"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "images.npy"
    np.save(path, CNN.images(4))
    return path


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(CPU1, 60) as pool:
        yield pool


@pytest.fixture
def worker(pool: WorkerPool, onnx: Path) -> Iterator[WorkerProcess]:
    with pool.worker(onnx) as worker:
        yield worker


@pytest.fixture
def loaded(worker: WorkerProcess, images: Path) -> WorkerProcess:
    worker.ask("load", images=str(images), batch_size=1, compare=False)
    return worker


def status(worker: WorkerProcess) -> str:
    return str(psutil.Process(worker.pid).status())


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("callers", [1, 2])
def test_a_block_times_every_call_of_every_caller(loaded: WorkerProcess, callers: int) -> None:
    block = loaded.ask("block", calls=10, settle=2, callers=callers)
    assert len(block["calls_ms"]) == 10 * callers and min(block["calls_ms"]) > 0
    assert 0 < sum(block["calls_ms"]) <= callers * block["wall_ms"] * 1.000001
    assert block["cpu_ms"] > 0 and block["switches"] >= 0 and block["steal_ms"] >= 0
    assert len(block["sentinel_ms"]) == 2 and min(block["sentinel_ms"]) > 0


def test_the_sentinel_empties_no_cache_just_before_timed_calls(loaded: WorkerProcess) -> None:
    assert loaded.ask("block", calls=2, settle=0, callers=1)["sentinel_ms"] == []


def test_a_warm_up_calls_no_more_often_than_it_may(loaded: WorkerProcess) -> None:
    assert len(loaded.ask("warm_up", least=5, most=200, limit_ms=0)["calls_ms"]) == 5
    assert len(loaded.ask("warm_up", least=5, most=7, limit_ms=1e9)["calls_ms"]) == 7


def test_a_frozen_worker_does_nothing_until_it_is_awake(loaded: WorkerProcess) -> None:
    loaded.suspend()
    wait_until(lambda: status(loaded) == psutil.STATUS_STOPPED)
    with loaded.resumed():
        assert loaded.ask("memory")["peak_memory_mb"] > 0
        assert status(loaded) != psutil.STATUS_STOPPED
    wait_until(lambda: status(loaded) == psutil.STATUS_STOPPED)


def test_a_worker_that_is_killed_while_it_is_stopped_is_named_with_the_signal(loaded: WorkerProcess) -> None:
    loaded.suspend()
    os.kill(loaded.pid, signal.SIGKILL)
    with pytest.raises(WorkerFailed, match="killed by SIGKILL"), loaded.resumed():
        loaded.ask("memory")


def test_a_stopped_worker_ends_with_its_block(pool: WorkerPool, onnx: Path) -> None:
    with pool.worker(onnx) as worker:
        worker.answer()
        worker.suspend()
        process = psutil.Process(worker.pid)
    assert not process.is_running()


def test_the_memory_of_workers_and_their_servers_is_known(pool: WorkerPool, onnx: Path) -> None:
    with pool.worker(onnx) as one, pool.worker(onnx) as two:
        assert one.answer() == two.answer() == {}
        assert one.memory_mb > 0 and two.memory_mb > 0 and pool.memory_mb() > 0
    assert one.memory_mb == 0  # it is gone


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
        worker.ask("load", images="nowhere.npy", batch_size=1, compare=False)


def test_a_dead_worker_leaves_the_others_of_its_server(pool: WorkerPool, onnx: Path) -> None:
    with pool.worker(onnx) as first, pool.worker(onnx) as second:
        first.answer()
        os.kill(first.pid, signal.SIGKILL)
        with pytest.raises(WorkerFailed, match="SIGKILL"):
            first.ask("memory")
        assert second.ask("memory")["peak_memory_mb"] >= 0


def test_a_library_that_kills_its_process_is_named_and_costs_what_it_held(
    pool: WorkerPool, onnx: Path, tmp_path: Path
) -> None:
    server = pool.prepare(onnx)
    with pool.worker(onnx) as lost:
        lost.answer()
        server.process.kill()
        with pytest.raises(WorkerFailed, match="was killed by SIGKILL"):
            WorkerProcess(server, CPU1, onnx, tmp_path, 60)
        with pool.worker(onnx) as next_one:  # of a new server
            assert next_one.answer() == {}
    assert pool.prepare(onnx) is not server


def test_a_twin_has_a_server_of_its_own(pool: WorkerPool, onnx: Path) -> None:
    assert pool.prepare(onnx, 0) is pool.prepare(onnx)
    assert pool.prepare(onnx, 1) is not pool.prepare(onnx)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_forked_after_the_imports_works(untrained: Path, images: Path, threads: int) -> None:
    """A thread that a library had started would be missing in the workers."""
    with WorkerPool({"name": "cpu", "threads": threads}, 60) as pool:
        for folder in untrained.iterdir():
            with pool.worker(folder) as worker:
                answer = worker.ask("load", images=str(images), batch_size=4, compare=False)
                assert answer["first_call_ms"] > 0
            # numpy's BLAS has its own, and ends them before a fork
            count = psutil.Process(pool.prepare(folder).process.pid).num_threads()
            assert count <= threads, folder.name


def test_a_worker_has_only_its_own_libraries(pool: WorkerPool, onnx: Path) -> None:
    with pool.worker(onnx) as worker:
        worker.answer()
        loaded = {Path(m.path).name for m in psutil.Process(worker.pid).memory_maps()}
    assert not any(name.startswith("libtorch") for name in loaded)


def test_a_tampered_artifact_is_refused_by_name(pool: WorkerPool, onnx: Path, tmp_path: Path) -> None:
    shutil.copytree(onnx, tmp_path / "copy")
    with (tmp_path / "copy/model.onnx").open("ab") as file:
        file.write(b"x")
    with pool.worker(tmp_path / "copy") as worker, pytest.raises(WorkerFailed, match="was changed"):
        worker.answer()


def test_a_file_that_no_runtime_can_load_costs_its_own_row(onnx: Path, tmp_path: Path) -> None:
    shutil.copytree(onnx, tmp_path / "bad")
    (tmp_path / "bad/model.onnx").write_bytes(b"no graph")
    artifact.save(tmp_path / "bad", replace(artifact.read(onnx), files={}))
    budget = Budget(seconds=0, seconds_per_variant=0, min_replicates=2, rounds=3, block_ms=1, settle_ms=1)
    measured = measure_artifacts({"good": onnx, "bad": tmp_path / "bad"}, CPU1, budget, CNN.images(1))
    assert len(measured["good"].replicates) == 2 and measured["good"].latency_ms
    assert measured["bad"].verdict == "failed" and measured["bad"].reason


def test_no_busy_worker_outlives_a_killed_parent(onnx: Path, images: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from breakeven.engine.worker_pool import WorkerPool\n"
        f"pool = WorkerPool({CPU1}, 60); worker = pool.worker(Path({str(onnx)!r}))\n"
        f"worker.ask('load', images={str(images)!r}, batch_size=1, compare=False)\n"
        "worker.send('block', calls=10**6, settle=1, callers=1)\n"
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


def test_threads_are_pinned_to_physical_cores_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for core, siblings in enumerate(["0-1", "0-1", "2-3", "2-3"]):
        (tmp_path / f"{core}").write_text(f"{siblings}\n")
    monkeypatch.setattr(base, "SIBLINGS_FILE", f"{tmp_path}/{{}}")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2, 3, 9})  # of 9 nothing is told
    bound: list[list[int]] = []
    monkeypatch.setattr(os, "sched_setaffinity", lambda process, cores: bound.append(cores))
    for threads in (1, 2, 3, 4):
        assert Cpu(name="cpu", threads=threads).pin()["pinned"]
    assert bound == [[0], [0, 2], [0, 2, 9], [0, 1, 2, 9]]


@pytest.mark.parametrize(
    ("limit", "pinned"), [("max 100000", True), ("200000 100000", True), ("150000 100000", False), ("", True)]
)
def test_a_containers_limit_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, pinned: bool
) -> None:
    (tmp_path / "cpu.max").write_text(f"{limit}\n")
    monkeypatch.setattr(base, "QUOTA_FILE", str(tmp_path / "cpu.max"))
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})
    monkeypatch.setattr(os, "sched_setaffinity", lambda process, cores: None)
    facts = Cpu(name="cpu", threads=2).pin()
    assert facts["pinned"] == pinned and (pinned or "time of 1.5 cores" in facts["reason"])


def test_a_server_is_shared_by_untimed_workers_of_one_library_only() -> None:
    loader = "breakeven.engine.artifact_loader"
    some, more = (loader, "json"), (loader, "json", "csv")
    with WorkerPool(CPU1, 60, sharing=True) as pool:
        server = pool.server(more)
        assert pool.server(some) is server
        assert pool.server(some, copy=1) is not server  # a twin
        assert pool.server((loader,)) is not server  # it is built on no library
        server.close()
        assert pool.server(some) is not server
        assert pool.server(some) is pool.server(some)
    with WorkerPool(CPU1, 60) as pool:
        assert pool.server(some) is not pool.server(more)
        assert pool.server(some) is pool.server(some)
