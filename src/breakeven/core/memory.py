"""Memory of this machine and of processes."""

import contextlib
from pathlib import Path

import psutil

CONTAINER = Path("/sys/fs/cgroup")
SHARE = 0.9  # of the available memory that a process may hold, unless a limit is given
KILLED_FIRST = 1000  # the kernel kills the process with the highest score for want of memory


def available_mb() -> float:
    """Return the memory that programs can still have, of the machine and of this container, 10**6 bytes."""
    free = float(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):  # no container, or the limit "max"
        limit, used = (int((CONTAINER / name).read_text()) for name in ("memory.max", "memory.current"))
        stat = dict(line.split() for line in (CONTAINER / "memory.stat").read_text().splitlines())
        free = min(free, limit - used + int(stat["inactive_file"]))  # the kernel can drop cached files
    return max(free, 0.0) / 1e6


def limit_mb(memory_mb: float) -> float:
    """Return the most resident memory of a process, 10**6 bytes: `memory_mb`, or for 0 most of the rest."""
    return memory_mb or SHARE * available_mb()


def resident_mb(process: int) -> float:
    """Return the resident memory of a process and of all that it started, 10**6 bytes; 0 if it is gone."""
    held = 0.0
    with contextlib.suppress(psutil.Error):
        first = psutil.Process(process)
        for each in [first, *first.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                held += each.memory_info().rss / 1e6
    return held


def be_killed_first() -> None:
    """Make the kernel kill this process before others if memory runs out; on other systems do nothing."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(f"{KILLED_FIRST}", encoding="ascii")
