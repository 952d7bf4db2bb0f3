"""Serve MLflow's UI on 127.0.0.1."""

from argparse import ArgumentParser, Namespace

from breakeven.errors import UserError

EXAMPLE = "breakeven ui --port 5001"


def arguments(parser: ArgumentParser) -> None:
    """The port."""
    parser.add_argument("--port", type=int, default=5000, help="default: 5000")


def run(chosen: Namespace) -> None:
    """Become the server."""
    import os

    from breakeven import tracking

    if not tracking.is_local():
        raise UserError(f"The runs are at {tracking.address()}: open that address.")
    print(f"MLflow's UI: http://127.0.0.1:{chosen.port} (Ctrl-C ends it)", flush=True)
    command = tracking.server(chosen.port)
    os.execv(command[0], command)  # so that a signal reaches the server itself
