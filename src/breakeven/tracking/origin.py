"""The origin of a run: the host, process, commit and stage that log it."""

import os
import platform
import socket
from typing import Any

import psutil

from breakeven.core.git import here

HOST_TAG, PROCESS_TAG = "breakeven.host", "breakeven.process"


def origin_tags() -> dict[str, Any]:
    """Return the tags that say where a run comes from: host, process, commit, stage."""
    return {
        HOST_TAG: socket.gethostname(),
        PROCESS_TAG: _this_process(),
        **here(),
        "dvc.stage": os.environ.get("DVC_STAGE"),
        "dvc.experiment": os.environ.get("DVC_EXP_NAME"),
        "system": platform.platform(terse=True),
    }


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
