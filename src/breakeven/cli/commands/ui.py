"""Serve MLflow's UI on 127.0.0.1."""

import os
import sys
from argparse import ArgumentParser, Namespace

GROUP = "understand"
EXAMPLE = "breakeven ui --port 5001"


def arguments(parser: ArgumentParser) -> None:
    """Add the port, and whether a browser opens."""
    parser.add_argument("--port", type=int, default=5000, help="default: 5000")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")


def run(chosen: Namespace) -> None:
    """Serve the UI until Ctrl-C."""
    from breakeven.tracking.server import serve_ui

    serve_ui(chosen.port, browser=not chosen.no_browser and _has_screen())


def _has_screen() -> bool:
    """Return whether a person is there whose browser can open; in a bare terminal, a text browser would."""
    graphical = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(graphical) and sys.stdout.isatty()
