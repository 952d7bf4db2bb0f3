"""The origin of a run: the host, process, commit and stage that log it."""

import getpass
import os
import platform
import socket
from typing import Any

import psutil

from breakeven.core.git import here
from breakeven.tracking import hidden_tags


def origin_tags(command: str = "dvc repro") -> dict[str, Any]:
    """Return the tags that say where a run comes from: user, command, host, process, commit, stage."""
    return {
        hidden_tags.name(hidden_tags.HOST): socket.gethostname(),
        hidden_tags.name(hidden_tags.PROCESS): _this_process(),
        "mlflow.user": _user(),
        "mlflow.source.name": command,
        "mlflow.source.type": "PROJECT",
        **here(),
        "dvc.stage": os.environ.get("DVC_STAGE"),
        "dvc.experiment": os.environ.get("DVC_EXP_NAME"),
        "system": platform.platform(terse=True),
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a user without a name
        return ""


def _this_process() -> str:
    """Return the process id with its start time, because systems reuse process ids."""
    return f"{os.getpid()}@{psutil.Process().create_time():.0f}"


def is_alive(process: str) -> bool:
    """Return whether the process of a run's tag still runs on this machine."""
    number, _, started = process.partition("@")
    try:
        return bool(abs(psutil.Process(int(number)).create_time() - float(started)) < 2)
    except (psutil.Error, ValueError):
        return False
