"""Known faults of an MLflow store: the cause in plain words, and what the user can do about it."""

import re
from dataclasses import dataclass

from breakeven.core.secrets import redact

SQLITE_PREFIX = "sqlite:///"  # followed by a path
DRIVER = re.compile(r"No module named '([\w.]+)'")
SCHEMA = re.compile(r"out-of-date database schema \(found version (\w+)")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a store."""

    cause: str
    remedy: str = ""  # empty: unknown


# Part of an error's message -> the fault. {place} stands for the store's file or address.
FAULTS = {
    r"disk is full|No space left on device|Disk quota exceeded": Fault(
        "its disk is full", "free some space there"
    ),
    r"readonly database|unable to open database file|Read-only file system|\[Errno 13\]": Fault(
        "its files cannot be written", "make {place} and its folder writable"
    ),
    r"database is locked": Fault("another program holds its database", "end that program"),
    r"file is not a database|disk image is malformed": Fault(
        "its database is damaged", "move {place} away; `breakeven sync` then writes a new one"
    ),
    r"unsupported URI|Could not parse": Fault(
        "MLflow knows no such address", "MLFLOW_TRACKING_URI should be http://HOST:PORT or sqlite:///FILE"
    ),
    r"error code 401": Fault(
        "it asks for a user",
        "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
    ),
    r"error code 403": Fault("the user may not do this there", "ask its owner for permission"),
    r"error code 507|error code 413": Fault("it is full, or accepts no file of this size", "ask its owner"),
}


def diagnose(message: str, uri: str) -> Fault:
    """Return the fault that an error's message tells of.

    Args:
        message: without credentials.
        uri: the store's address.
    """
    if match := SCHEMA.search(message):
        return _schema_fault(match[1], uri)
    if match := DRIVER.search(message):
        return Fault(f"its driver {match[1]} is not installed", f"pip install {match[1]}")
    place = redact(uri.removeprefix(SQLITE_PREFIX))
    for pattern, fault in FAULTS.items():
        if re.search(pattern, message):
            return Fault(fault.cause, fault.remedy.format(place=place))
    return Fault((message.strip().splitlines() or [""])[0][:200])


def _schema_fault(revision: str, uri: str) -> Fault:
    """Return the fault of a database whose schema has this revision, which is not the installed MLflow's."""
    from breakeven.tracking import _mlflow_private

    if not _mlflow_private.knows_schema(revision):
        return Fault("a newer MLflow has changed its database", "install that version: pip install -U mlflow")
    shown = uri if redact(uri) == uri else '"$MLFLOW_TRACKING_URI"'
    return Fault("an older MLflow made its database", f"copy it, then run `mlflow db upgrade {shown}`")
