"""The service as a program: it starts the processes, then the server, and drains when it is told to end."""

import logging
import os
import socket
import sys

import uvicorn

from breakeven.core.errors import UserError
from breakeven.serving.app import create_app
from breakeven.serving.service import Service

DRAIN_S = 30  # to answer what has come, after SIGTERM
MOST_HEADERS = 64 * 1024  # bytes


def run(service: Service, host: str, port: int, *, is_quiet: bool = False) -> int:
    """Serve until SIGTERM or Ctrl-C, and return the exit code.

    Args:
        is_quiet: whether to print nothing: no address, and no line for each request.

    Raises:
        UserError: the port is taken, or eager itself cannot be loaded.
    """
    if not is_quiet:
        logging.getLogger("breakeven.access").addHandler(logging.StreamHandler(sys.stdout))
        logging.getLogger("breakeven.access").setLevel(logging.INFO)
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise UserError(f"--port {port}: {os.strerror(error.errno or 0)}: choose another one.") from None
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
            h11_max_incomplete_event_size=MOST_HEADERS,
        )
    finally:
        service.stop()
    return 0


def _tell(service: Service, page: str) -> None:
    variant = service.model.manifest.variant
    for reason in service.reasons:
        print(f"breakeven: {variant} fails, and eager answers: {reason.rstrip('.')}.", file=sys.stderr)
    print(f"{variant} answers: {page}", file=sys.stderr, flush=True)
