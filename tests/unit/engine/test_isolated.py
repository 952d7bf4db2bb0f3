"""Whatever a function does to its process, the caller gets one sentence, and calls the next one."""

import errno
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from breakeven.core import memory
from breakeven.core.errors import NotInstalled, Unsupported, UserError, WrongOutput
from breakeven.engine.isolated import CallFailed, IsolatedCalls

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IsolatedCalls]:
    with IsolatedCalls(["breakeven.engine.isolated"], tmp_path_factory.mktemp("calls"), 60) as calls:
        yield calls


def test_each_call_has_a_process_of_its_own_and_gives_its_result(calls: IsolatedCalls) -> None:
    numbers = [calls.call(os.getpid) for _ in range(2)]
    assert len({*numbers, os.getpid()}) == 3
    assert calls.call(lambda: Path("x")) == Path("x")


@pytest.mark.parametrize("module", ["torch", "scipy.optimize"])  # they import numpy; numpy and scipy.linalg
def test_the_threads_of_openblas_do_not_cost_a_module_its_place(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that begins without its modules imports them in each call, which takes seconds."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with IsolatedCalls([module, "breakeven.engine.isolated"], tmp_path, 60) as calls:
        assert calls.call(lambda: [module in sys.modules, "breakeven.engine.isolated" in sys.modules]) == [
            True,
            True,
        ]


def raises(error: BaseException) -> None:
    raise error


def reads_address_0() -> None:
    import ctypes

    ctypes.string_at(0)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (lambda: raises(MemoryError("no room for a tensor")), "MemoryError: no room for a tensor"),
        (lambda: raises(MemoryError()), "MemoryError"),
        (lambda: raises(OSError("could not get source code")), "OSError: could not get source code"),
        (lambda: raises(FileNotFoundError(errno.ENOENT, "No such file", "kernel.bin")), "kernel.bin"),
        (lambda: raises(SystemExit("no licence found")), "SystemExit: no licence found"),
        (lambda: raises(KeyboardInterrupt()), "KeyboardInterrupt"),
        (lambda: os._exit(3), "ended with exit code 3"),
        (reads_address_0, "killed by SIGSEGV"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "killed by SIGKILL"),
    ],
)
def test_a_fault_becomes_one_sentence_and_the_next_call_works(
    calls: IsolatedCalls, fault: object, reason: str
) -> None:
    with pytest.raises(CallFailed, match=reason):
        calls.call(fault)  # type: ignore[arg-type]
    assert calls.call(lambda: 1) == 1


@pytest.mark.parametrize("kind", [UserError, Unsupported, NotInstalled, WrongOutput])
def test_errors_of_our_own_come_back_as_they_are(calls: IsolatedCalls, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"^the sentence$") as raised:
        calls.call(lambda: raises(kind("the sentence")))
    assert type(raised.value) is kind


def test_a_hang_ends_at_the_limit(tmp_path: Path) -> None:
    with (
        IsolatedCalls(["breakeven.engine.isolated"], tmp_path, 3) as calls,
        pytest.raises(CallFailed, match="no answer within 3 s; killed"),
    ):
        calls.call(lambda: time.sleep(600))


def test_a_call_that_holds_more_memory_than_allowed_is_killed(tmp_path: Path) -> None:
    def grow() -> None:
        held = []
        while True:
            held.append(bytearray(10**7))
            time.sleep(0.01)

    with (
        IsolatedCalls(["breakeven.engine.isolated"], tmp_path, 60, memory_mb=300) as calls,
        pytest.raises(CallFailed, match=r"held [3-9]\d\d MB, and 300 are allowed; killed"),
    ):
        calls.call(grow)


def test_the_kernel_kills_a_call_before_its_caller(calls: IsolatedCalls) -> None:
    score = calls.call(lambda: Path("/proc/self/oom_score_adj").read_text().strip())
    assert int(score) == memory.KILLED_FIRST


def test_a_server_that_died_is_started_again(calls: IsolatedCalls) -> None:
    calls.call(lambda: 1)
    assert calls._server
    calls._server.process.kill()
    calls._server.process.wait()
    assert calls.call(lambda: 2) == 2


def test_a_full_disk_of_ours_is_the_machines_fault_and_another_one_the_rows(calls: IsolatedCalls) -> None:
    for place in (None, str(calls.scratch / "file")):
        with pytest.raises(OSError, match="No space left") as raised:
            calls.call(lambda place=place: raises(OSError(errno.ENOSPC, "No space left on device", place)))
        assert raised.value.errno == errno.ENOSPC
    with pytest.raises(CallFailed, match="No space left on device: '/dev/shm/tensor'"):
        calls.call(lambda: raises(OSError(errno.ENOSPC, "No space left on device", "/dev/shm/tensor")))


def test_what_a_killed_tool_leaves_lies_in_the_callers_folder(calls: IsolatedCalls) -> None:
    import tempfile

    def leave() -> str:
        return tempfile.mkdtemp()

    assert Path(calls.call(leave)).is_relative_to(calls.scratch)
