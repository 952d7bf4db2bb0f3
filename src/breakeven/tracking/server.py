"""MLflow's own server on this machine, for its UI and its model registry."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from urllib.request import urlopen

from breakeven.core.errors import UserError
from breakeven.core.ports import free_port
from breakeven.tracking import views
from breakeven.tracking.address import Unreachable, address, artifact_root, is_local, required, shown_address
from breakeven.tracking.client import Tracker

ADDRESS_VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
START_TIMEOUT_S = 60.0
# Without this setting, the server starts seven processes that judge language models.
SERVER_ENVIRONMENT = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def serve_ui(port: int, *, browser: bool = False) -> None:
    """Serve MLflow's UI until Ctrl-C or SIGTERM, and print the address of its first view when it answers.

    Args:
        port: on 127.0.0.1.
        browser: whether to open that address in the user's browser.

    Raises:
        UserError: the runs are elsewhere, the port is taken, or the server does not start.
    """
    if not is_local():
        raise UserError(f"The runs are at {shown_address()}: open that address.")
    if not 0 <= port <= 65535:
        raise UserError(f"--port {port}: should be from 0 to 65535.")
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise UserError(
            f"--port {port}: {os.strerror(error.errno or 0)}: breakeven ui --port {port + 1}"
        ) from None
    with required():
        experiment = Tracker().experiment  # creates the store
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    # A session of its own keeps Ctrl-C from the server, which would print a traceback of each of its tasks.
    server = subprocess.Popen(
        _command(port), env={**os.environ, **SERVER_ENVIRONMENT}, start_new_session=True
    )
    try:
        while not _answers(port):
            if server.poll() is not None:
                raise UserError("MLflow's server does not start: what it says stands above.")
            time.sleep(0.2)
        link = views.link(f"http://127.0.0.1:{port}", experiment)
        print(
            f"MLflow's UI, the variants of each model, the fastest first: {link}\nCtrl-C ends it.", flush=True
        )
        if browser:
            webbrowser.open(link)
        server.wait()
    except KeyboardInterrupt:
        print()  # after the terminal's ^C
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def _command(port: int) -> list[str]:
    """Return the command that serves the repository's store on this machine only."""
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", address(), "--artifacts-destination", artifact_root(), "--workers", "1"),
    ]


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Yield the address of a server; if the store is the repository's own, start one until the block ends.

    MLflow finds the files of a logged model from any folder only if a server has logged them.

    Raises:
        Unreachable: it does not start.
    """
    if not is_local():
        yield address()
        return
    Tracker()  # creates the store
    port = free_port()
    process = subprocess.Popen(
        _command(port),
        env={**os.environ, **SERVER_ENVIRONMENT},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    before = {name: os.environ.get(name) for name in ADDRESS_VARIABLES}
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unreachable("its server does not start: `breakeven ui` says why")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        for name, value in before.items():  # MLflow's own functions leave the server's address there
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
