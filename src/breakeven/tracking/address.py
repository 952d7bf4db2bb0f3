"""The address of MLflow's store, and the conversion of MLflow's errors into ours."""

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from urllib.parse import urlparse

from breakeven.core import paths
from breakeven.core.errors import UserError

SQLITE_PREFIX = "sqlite:///"  # followed by a path


def address() -> str:
    """Return the address of the tracking server, or of the main repository's SQLite store (absolute)."""
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE_PREFIX}mlflow.db"
    # A relative address would mean a different store in each folder that a stage runs in.
    return (
        f"{SQLITE_PREFIX}{paths.home() / uri.removeprefix(SQLITE_PREFIX)}"
        if uri.startswith(SQLITE_PREFIX)
        else uri
    )


def artifact_root() -> str:
    """Return the folder of artifacts if the store is the repository's own; `make ui` serves this folder."""
    return str(paths.home() / "mlartifacts")


def is_local() -> bool:
    """Return whether the store is the repository's own."""
    return address().startswith("sqlite:")


class Unreachable(Exception):
    """An error of MLflow: it does not answer, or refuses a request."""


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Turn every error of MLflow in the block into `Unreachable`.

    Raises:
        Unreachable: MLflow failed; the message is the first line of its own error.
    """
    try:
        yield
    except Unreachable:  # can be raised before MLflow is imported, which takes seconds
        raise
    except Exception as error:
        from mlflow.exceptions import MlflowException

        if not isinstance(error, MlflowException):
            raise
        raise Unreachable(str(error).splitlines()[0]) from None


@contextlib.contextmanager
def required() -> Iterator[None]:
    """Turn every error of MLflow in the block into a `UserError`, for commands that need MLflow.

    Raises:
        UserError: MLflow refused something, or does not answer.
    """
    try:
        with answering():
            yield
    except Unreachable as error:
        raise UserError(f"MLflow at {address()} cannot be used ({error}).") from None


def warn(error: Exception) -> None:
    """Print a stage's one warning that MLflow cannot be used."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    print(
        f"warning: MLflow at {address()} cannot be used ({reason[:200]}). Results are kept on disk; "
        f"`breakeven sync` logs them later.",
        file=sys.stderr,
    )


def require_listener(uri: str) -> None:
    """Check that somebody listens at a server's address, so that a dead server is refused at once.

    Raises:
        Unreachable: nobody listens at the address.
    """
    url = urlparse(uri)
    if url.scheme not in ("http", "https"):
        return
    try:
        port = url.port or (443 if url.scheme == "https" else 80)
        socket.create_connection((url.hostname or "", port), timeout=3).close()
    except (OSError, ValueError) as error:  # ValueError: the port is no number
        raise Unreachable(f"no answer: {error}") from None
