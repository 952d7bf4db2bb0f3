"""Serve MLflow's UI on 127.0.0.1."""

from argparse import ArgumentParser, Namespace

from breakeven.core.errors import UserError

EXAMPLE = "breakeven ui --port 5001"


def arguments(parser: ArgumentParser) -> None:
    """The port."""
    parser.add_argument("--port", type=int, default=5000, help="default: 5000")


def run(chosen: Namespace) -> None:
    """Become the server.

    Raises:
        UserError: the runs are elsewhere, or the port is taken.
    """
    import os
    import socket

    from breakeven.tracking import client

    if not client.is_local():
        raise UserError(f"The runs are at {client.address()}: open that address.")
    if not 0 <= chosen.port <= 65535:
        raise UserError(f"--port {chosen.port}: should be from 0 to 65535.")
    try:
        socket.create_server(("127.0.0.1", chosen.port)).close()
    except OSError as error:
        raise UserError(
            f"--port {chosen.port}: {os.strerror(error.errno or 0)}: breakeven ui --port {chosen.port + 1}"
        ) from None
    with client.required():
        client.Tracker()  # which creates it once
    print(f"MLflow's UI: http://127.0.0.1:{chosen.port} (Ctrl-C ends it)", flush=True)
    command = client.server(chosen.port)
    os.execve(command[0], command, {**os.environ, **client.QUIET})  # a signal reaches the server itself
