"""A stage ends within seconds after `dvc`, however `dvc` ended and whatever shell stands between them."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from project import is_over

STAGE = """
import signal, sys, time
from breakeven.core.child_process import end_with_dvc
from breakeven.pipeline.stages._main import run

def work():
    print("begun", flush=True)
    time.sleep(600)

end_with_dvc()
run(work)
"""
# A library may handle the signal for a while, or hold on to what it raises.
SWALLOWING = STAGE.replace(
    "    time.sleep(600)",
    """    own = signal.signal(signal.SIGTERM, lambda number, frame: signal.signal(signal.SIGTERM, own))
    time.sleep(600)""",
)
DEAF = STAGE.replace(
    "    time.sleep(600)",
    """    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass""",
)
# It begins to watch after `dvc` has ended, and another process has taken the place of its parent.
LATE = 'print("begun", flush=True)\nimport time\ntime.sleep(2)\n' + STAGE.replace(
    'print("begun", flush=True)', ""
)
# A `dvc` that starts the stage by a shell, which waits for it, or by none.
DVC = """
import os, subprocess, sys
command = [sys.executable, "-c", sys.argv[2]]
if sys.argv[1] == "shell":
    command = ["sh", "-c", '"$@"; true', "sh", *command]
print(os.getpid(), flush=True)
subprocess.run(command, env={**os.environ, "DVC_STAGE": "train@cnn"}, stdout=sys.stdout)
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("by", "number", "stage"),
    [
        ("shell", signal.SIGTERM, STAGE),
        ("shell", signal.SIGKILL, STAGE),
        ("none", signal.SIGTERM, STAGE),
        ("none", signal.SIGKILL, STAGE),
        ("shell", signal.SIGKILL, SWALLOWING),
        ("none", signal.SIGKILL, DEAF),
        ("shell", signal.SIGKILL, LATE),
        ("none", signal.SIGKILL, LATE),
    ],
)
def test_a_stage_ends_with_dvc(by: str, number: signal.Signals, stage: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DVC, by, stage], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as dvc:
        assert dvc.stdout
        lines = [dvc.stdout.readline().strip() for _ in range(2)]
        assert lines == [str(dvc.pid), "begun"]
        family = psutil.Process(dvc.pid).children(recursive=True)
        os.kill(dvc.pid, number)
        deadline = time.monotonic() + 15
        while not all(map(is_over, family)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
