"""A synthetic load: bursts of work on every core, like those of other programs."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def bursts(on: bool) -> Iterator[None]:
    """Keep each core busy in bursts of 20 to 200 ms, about a fifth of the time, if `on` is true."""
    cores = psutil.Process().cpu_affinity() if on else []
    command = [sys.executable, "-m", "breakeven.engine.selftest.synthetic_load"]
    processes = [subprocess.Popen([*command, str(core)]) for core in cores]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def burst(core: int) -> None:
    """Work and rest in turns on one core, until the parent process has ended."""
    psutil.Process().cpu_affinity([core])
    draw, parent = random.Random(core), psutil.Process().parent()
    while parent and parent.is_running():
        end = time.monotonic() + draw.uniform(0.02, 0.2)
        while time.monotonic() < end:
            pass
        time.sleep(draw.uniform(0.1, 0.8))


if __name__ == "__main__":
    burst(int(sys.argv[1]))
