"""Serve MLflow's UI on 127.0.0.1."""

from argparse import ArgumentParser, Namespace

GROUP = "understand"
EXAMPLE = "breakeven ui --port 5001"


def arguments(parser: ArgumentParser) -> None:
    """Add the port."""
    parser.add_argument("--port", type=int, default=5000, help="default: 5000")


def run(chosen: Namespace) -> None:
    """Serve the UI until Ctrl-C."""
    from breakeven.tracking.server import serve_ui

    serve_ui(chosen.port)
