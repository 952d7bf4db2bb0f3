"""The address of MLflow's store, and the conversion of MLflow's errors into ours."""

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from urllib.parse import urlparse

from breakeven.core import paths
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.secrets import redact, redact_error
from breakeven.tracking.remedies import SQLITE_PREFIX, diagnose


def address() -> str:
    """Return the address of the tracking server, or of the main repository's SQLite store (absolute)."""
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE_PREFIX}mlflow.db"
    # A relative address would mean a different store in each folder that a stage runs in.
    return (
        f"{SQLITE_PREFIX}{paths.home() / uri.removeprefix(SQLITE_PREFIX)}"
        if uri.startswith(SQLITE_PREFIX)
        else uri
    )


def shown_address() -> str:
    """Return the address without credentials, for messages."""
    return redact(address())


def artifact_root() -> str:
    """Return the folder of artifacts if the store is the repository's own; `make ui` serves this folder."""
    return str(paths.home() / "mlartifacts")


def is_local() -> bool:
    """Return whether the store is the repository's own."""
    return address().startswith("sqlite:")


class Unreachable(Exception):
    """An error of MLflow: it does not answer, or refuses a request. Its message holds no credentials."""


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Turn every error of MLflow, its libraries or the system in the block into `Unreachable`.

    Raises:
        Unreachable: MLflow failed; the message is its own error without credentials.
    """
    try:
        yield
    except (Unreachable, UserError, Unsupported):
        raise
    except Exception as error:
        if not _is_of_a_library(error):
            raise
        raise Unreachable(redact_error(error)) from None


def _is_of_a_library(error: Exception) -> bool:
    """Return whether an error is of another package (MLflow, SQLAlchemy, requests, ...) or of the system."""
    package = type(error).__module__.partition(".")[0]
    return isinstance(error, OSError) or package not in ("builtins", "breakeven")


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
        raise UserError(f"{describe(error)}.") from None


def describe(error: Exception) -> str:
    """Return a sentence, without its full stop, on an error of MLflow: the place, the cause, the remedy."""
    fault = diagnose(redact_error(error) or type(error).__name__, address())
    remedy = f": {fault.remedy}" if fault.remedy else ""
    return f"MLflow at {shown_address()} cannot be used ({fault.cause.rstrip('.')}){remedy}"


def warn(error: Exception) -> None:
    """Print a stage's one warning that MLflow cannot be used."""
    print(
        f"warning: {describe(error)}. Results are kept on disk; `breakeven sync` logs them later.",
        file=sys.stderr,
    )


def require_listener(uri: str) -> None:
    """Check that somebody listens at a server's address, so that a dead server is refused at once.

    Raises:
        Unreachable: the address is malformed, or nobody listens there.
    """
    try:
        url = urlparse(uri)
        if url.scheme not in ("http", "https"):
            return
        port = url.port or (443 if url.scheme == "https" else 80)
    except ValueError:  # its message may quote a part of the password
        raise Unreachable(
            "its address is malformed: it should be http://HOST:PORT; in a password, write %2F for a slash, "
            "%23 for # and %3F for ?"
        ) from None
    try:
        socket.create_connection((url.hostname or "", port), timeout=3).close()
    except OSError as error:
        raise Unreachable(f"it does not answer: {error}") from None
