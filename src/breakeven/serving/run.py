"""The service as a program: it starts the processes, then the server, and drains when it is told to end."""

import logging
import signal
import socket
import sys

import uvicorn

from breakeven.core.errors import UserError
from breakeven.serving.app import create_app
from breakeven.serving.service import Service

MOST_CONNECTIONS = 1000
DRAIN_S = 30  # to answer what has come, after SIGTERM


def run(service: Service, host: str, port: int, *, is_quiet: bool = False) -> int:
    """Serve until SIGTERM or Ctrl-C, and return the exit code.

    Args:
        is_quiet: whether to print nothing: no address, and no line for each request.

    Raises:
        UserError: the port is taken, or eager itself cannot be loaded.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise UserError(
            f"--host {host} --port {port}: {error.strerror or error}: choose another one."
        ) from None
    if not is_quiet:
        logging.getLogger("breakeven.access").addHandler(logging.StreamHandler(sys.stdout))
        logging.getLogger("breakeven.access").setLevel(logging.INFO)
    # The server raises the signal once more when it has drained; what it ends is done below.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        service.start()
        if not is_quiet:
            _tell(service, f"http://{host}:{port}/docs")
        uvicorn.run(
            create_app(service),
            host=host,
            port=port,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=DRAIN_S,
            http="h11",  # httptools takes headers of any size
            limit_concurrency=MOST_CONNECTIONS,
        )
    finally:
        service.stop()
    return 0


def _tell(service: Service, page: str) -> None:
    variant = service.model.manifest.variant
    for reason in service.reasons:
        print(f"breakeven: {variant} fails, and eager answers: {reason.rstrip('.')}.", file=sys.stderr)
    failing = len(service.reasons)
    who = (
        variant if not failing else "eager" if failing == service.settings.workers else f"{variant} or eager"
    )
    print(f"{who} answers: {page}", file=sys.stderr, flush=True)
