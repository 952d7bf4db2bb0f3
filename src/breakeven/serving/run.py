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


def run(service: Service, host: str, port: int) -> int:
    """Serve until SIGTERM or Ctrl-C, and return the exit code.

    Raises:
        UserError: the port is taken, or eager itself cannot be loaded.
    """
    logging.getLogger("breakeven.access").addHandler(logging.StreamHandler(sys.stdout))
    logging.getLogger("breakeven.access").setLevel(logging.INFO)
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise UserError(f"--port {port}: {os.strerror(error.errno or 0)}: choose another one.") from None
    try:
        service.start()
        for reason in service.reasons:
            print(
                f"breakeven: {service.model.manifest.variant} does not answer, eager does: {reason}.",
                file=sys.stderr,
            )
        print(
            f"http://{host}:{port}/docs answers with {service.model.manifest.variant}.",
            file=sys.stderr,
            flush=True,
        )
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
