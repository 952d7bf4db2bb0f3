"""Load on a real service in a process of its own: stalls, errors by cause, limits, bodies, and processes."""

import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_service import ask, running

from breakeven.core.errors import UserError
from breakeven.serving import load
from breakeven.serving.load import LoadResult, LoadSettings

pytestmark = pytest.mark.timeout(120)
ANY_LATENESS = 1e6  # two tests run side by side, and the generator is late for that


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with running() as url:
        yield url


def loaded(url: str, **values: object) -> LoadResult:
    chosen = {"rate": 100.0, "seconds": 0.5, "warm_up_s": 0.1, "max_lateness_ms": ANY_LATENESS, **values}
    if "closed" in values:
        chosen["rate"] = None
    return load.run(LoadSettings(url, **chosen))


def end(url: str) -> None:
    with contextlib.suppress(OSError):  # it does not answer
        urllib.request.urlopen(f"{url}/exit").close()


def test_an_open_loop_sends_each_request_once_at_its_time(service: str) -> None:
    result = loaded(service, seed=3)
    assert result.answered == result.requests == len(result.due_s) > 20 and not result.errors
    settings = result.settings
    times = load.arrivals.times_of(settings)
    assert np.allclose(result.due_s, times[times >= settings.warm_up_s], atol=1e-6)
    assert result.latency and 0 < result.latency.p50 <= result.latency.p99 <= result.latency.max
    assert result.lateness and 0 <= result.lateness.p50 <= result.lateness.p99 <= result.lateness.max
    assert result.histogram and result.histogram.count == result.answered
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["answered"] == result.answered


def test_a_stall_shows_in_an_open_loop_and_hides_in_a_closed_one() -> None:
    with running(2.0, stall_at_s=1.0, stall_ms=500) as url:
        opened = loaded(url, rate=100.0, seconds=2.0)
    with running(2.0, stall_at_s=1.0, stall_ms=500) as url:
        closed = loaded(url, closed=1, seconds=2.0)
    assert opened.latency and opened.latency.p99 > 300
    assert closed.latency and closed.latency.p99 < opened.latency.p99 / 3
    assert closed.latency.max > 400  # it saw one slow request


def test_a_closed_loop_keeps_so_many_requests_under_way() -> None:
    with running(20.0) as url:
        result = loaded(url, closed=3, seconds=1.0)
    assert result.lateness is None and result.latency
    assert result.latency.p50 > 2.5 * 20  # each waits for those of the two other callers
    assert result.answered <= 55


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("/busy", "HTTP 503"),
        ("/garbage", "answer is no HTTP"),
        ("/close", "connection closed"),
        ("/never", "timeout"),
    ],
)
@pytest.mark.parametrize("loop", [{"rate": 100.0}, {"closed": 2}])
def test_errors_are_counted_by_cause(service: str, path: str, cause: str, loop: dict[str, float]) -> None:
    result = loaded(service + path, timeout_s=0.1, seconds=0.3, **loop)
    assert result.errors == {cause: result.requests} and result.requests > 3
    assert result.latency is None and result.answered == 0 and result.rate == 0


@pytest.mark.parametrize("path", ["/chunked", "/one-by-one", "/announced", "/?a=b"])
def test_every_form_of_answer_is_read(service: str, path: str) -> None:
    result = loaded(service + path, seconds=0.3)
    assert result.answered == result.requests > 5 and not result.errors


def test_requests_beyond_the_connections_wait_and_that_is_latency_not_lateness() -> None:
    with running(10.0) as url:
        result = loaded(url, rate=200.0, connections=1, seconds=0.5, arrivals="constant")
    assert result.answered == result.requests and result.latency and result.lateness
    assert result.latency.max > 300  # twice as many come as can be served
    assert result.latency.p50 > 2 * result.lateness.p50
    assert result.rate < 150


def test_waiting_requests_time_out_and_none_is_lost(service: str) -> None:
    result = loaded(f"{service}/never", rate=100.0, connections=2, timeout_s=0.2)
    assert result.errors == {"timeout": result.requests}


def test_a_service_that_goes_away_is_an_error_and_not_an_end() -> None:
    with running() as url:
        killer = threading.Timer(5.0, end, [url])  # a busy machine takes seconds to begin
        killer.start()
        result = loaded(url, seconds=7.0)
        killer.join()
    assert result.answered > 0 and result.errors["no connection: Connection refused"] > 0
    assert result.answered + sum(result.errors.values()) == result.requests


def test_a_service_that_closes_what_it_accepts_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            with contextlib.suppress(OSError):  # the listener is closed
                while True:
                    listener.accept()[0].close()

        thread = threading.Thread(target=refuse)
        thread.start()
        result = loaded(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=1.0)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert result.errors == {"connection closed": result.requests}


def test_bodies_are_sent_in_turn(tmp_path: Path) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.png"]
    files[0].write_bytes(b"{}")
    files[1].write_bytes(bytes(300_000))
    with running() as url:
        result = loaded(url, files=tuple(files), rate=50.0, arrivals="constant")
        sent = ask(f"{url}/bodies")
    assert result.answered == result.requests > 0
    assert len(sent) >= result.requests and sent[:2] == [["application/json", 2], ["image/png", 300_000]]
    assert abs(sum(kind == "image/png" for kind, _ in sent) * 2 - len(sent)) <= 1


def test_a_rate_that_no_generator_can_send_is_void(service: str) -> None:
    result = loaded(service, rate=100_000.0, seconds=0.02, warm_up_s=0.0, max_lateness_ms=1.0)
    assert result.void.startswith("void: ") and result.latency is None
    assert len(result.latency_ms) == result.answered


def test_ctrl_c_ends_promptly_with_what_there_is(service: str) -> None:
    # In a process of its own: here a library's hook may swallow the interrupt.
    code = (
        "import sys, signal; from breakeven.serving.load.runner import run; "
        "from breakeven.serving.load.settings import LoadSettings; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "handler = signal.getsignal(signal.SIGINT); "
        "settings = LoadSettings(sys.argv[1], rate=50.0, seconds=60.0, warm_up_s=0.0, max_lateness_ms=1e6); "
        "print('begins', flush=True); found = run(settings); "
        "print(found.interrupted, found.answered > 0, signal.getsignal(signal.SIGINT) is handler)"
    )
    ask(f"{service}/late-ms")  # it forgets the answers of before
    process = subprocess.Popen([sys.executable, "-c", code, service], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "begins\n"
    deadline = time.monotonic() + 60
    while not ask(f"{service}/late-ms"):
        assert time.monotonic() < deadline, "no load"
        time.sleep(0.1)
    time.sleep(0.3)  # until the first answers are counted
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[0] == "True True True\n"


def test_a_process_of_its_own_runs_on_its_core(service: str) -> None:
    cores = os.sched_getaffinity(0)
    settings = LoadSettings(service, rate=50.0, seconds=0.5, core=max(cores), max_lateness_ms=ANY_LATENESS)
    result = load.run_in_process(settings)
    assert result.settings == settings and result.answered == result.requests > 0
    assert os.sched_getaffinity(0) == cores
    with pytest.raises(UserError, match="no service listens there"):
        load.run_in_process(LoadSettings("http://127.0.0.1:8", rate=1.0))


def test_this_process_is_left_as_it_was(service: str) -> None:
    cores = os.sched_getaffinity(0)
    loaded(service, core=min(cores), seconds=0.2)
    assert os.sched_getaffinity(0) == cores and gc.isenabled()
