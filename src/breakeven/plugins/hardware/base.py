"""The interface of a hardware: it pins threads, reads the clock, waits for the device, and counts memory."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from statistics import StatisticsError, fmean
from typing import Any

import psutil
from pydantic import Field

from breakeven.core.plugin import Plugin

FREQUENCY_FILE = "/sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq"
SIBLINGS_FILE = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
QUOTA_FILE = "/sys/fs/cgroup/cpu.max"  # microseconds that a container may use of each period, or "max"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Hardware(Plugin, ABC):
    """Settings of one device and its number of threads."""

    threads: int = Field(gt=0, description="that one call computes with, each pinned to a core")

    @property
    @abstractmethod
    def device(self) -> str:
        """Return the device as torch names it in the environment of `environment`: "cpu", "cuda:0"."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """Return the variables to set before a process starts: thread counts, visible devices."""

    @abstractmethod
    def pin(self) -> dict[str, Any]:
        """Bind this process to cores, start the device, and return what was done, or why it was not.

        Raises:
            Unsupported: this machine has no such device, or cannot use it.
        """

    @abstractmethod
    def clock_ns(self) -> int:
        """Return the time of a monotonic clock, nanoseconds."""

    @abstractmethod
    def synchronize(self) -> None:
        """Wait until the device has done all its work."""

    @abstractmethod
    def mark(self) -> Any:
        """Return the present moment on the device's own clock, for `device_ms`."""

    @abstractmethod
    def device_ms(self, since: Any) -> float | None:
        """Return milliseconds since `mark` on the device's own clock; None where it has no clock."""

    @abstractmethod
    def frequency_mhz(self) -> float | None:
        """Return the mean frequency of the usable processor cores, MHz; None where it is unknown."""

    @abstractmethod
    def steal_ms(self) -> float:
        """Return the time that other virtual machines took from all cores since the start, milliseconds."""

    @abstractmethod
    def memory_mb(self) -> float:
        """Return the device memory that this process holds now, without its libraries, 10**6 bytes."""

    @abstractmethod
    def peak_memory_mb(self) -> float:
        """Return the most device memory that this process has held, without its libraries, 10**6 bytes."""


class Host(Hardware):
    """The processor's part of every hardware: `threads` threads, pinned to as many cores, or to `cores`."""

    cores: int = Field(0, ge=0, description="that callers of one process share; 0: one for each thread")

    def environment(self) -> dict[str, str]:
        """Return the thread counts that OpenMP and BLAS libraries read when they are loaded."""
        return dict.fromkeys(THREAD_VARIABLES, str(self.threads))

    def pin(self) -> dict[str, Any]:
        """Bind to `threads` usable cores, or to `cores`, on different physical cores as far as there are."""
        wanted, what = max(self.threads, self.cores), "cores" if self.cores else "threads"
        if not hasattr(os, "sched_setaffinity"):
            return {"pinned": False, "reason": "this system cannot set a process's affinity"}
        allowed = sorted(os.sched_getaffinity(0))
        if wanted > len(allowed):
            return {"pinned": False, "reason": f"{wanted} {what} on {len(allowed)} usable cores"}
        if wanted > (quota := _quota()):
            reason = f"{wanted} {what}, where this container may use the time of {quota:g} cores"
            return {"pinned": False, "reason": reason}
        chosen = sorted(_apart(allowed)[:wanted])
        try:
            os.sched_setaffinity(0, chosen)
        except OSError as error:
            return {"pinned": False, "reason": str(error)}
        return {"pinned": True, "cpus": chosen}

    def free_cores(self) -> list[int]:
        """Return the cores that this process may use at once: one of each physical core."""
        if not hasattr(os, "sched_getaffinity"):
            return []
        cores = sorted(os.sched_getaffinity(0))
        physical = len({_read(SIBLINGS_FILE.format(core)) or str(core) for core in cores})
        return _apart(cores)[: int(min(physical, _quota()))]

    def clock_ns(self) -> int:
        """Return Python's performance counter, nanoseconds."""
        return time.perf_counter_ns()

    def frequency_mhz(self) -> float | None:
        """Return the mean over the usable cores, MHz; a virtual machine usually has no figure."""
        cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else []
        try:
            return float(fmean(int(Path(FREQUENCY_FILE.format(core)).read_text()) for core in cores)) / 1000
        except (OSError, ValueError, StatisticsError):
            return None

    def steal_ms(self) -> float:
        """Return the kernel's counter, milliseconds, in ticks of 10 ms."""
        return 1000 * float(getattr(psutil.cpu_times(), "steal", 0.0))


def _apart(cores: Sequence[int]) -> list[int]:
    """Order the cores: one of each physical core first; unchanged where the system has no topology."""
    first: dict[str, int] = {}
    for core in cores:
        first.setdefault(_read(SIBLINGS_FILE.format(core)) or str(core), core)
    return [*first.values(), *(core for core in cores if core not in first.values())]


def _quota() -> float:
    """Return how many cores' time this container may use; infinity without a limit."""
    used, _, period = _read(QUOTA_FILE).partition(" ")
    return int(used) / int(period) if used.isdigit() and period.isdigit() else float("inf")


def _read(path: str) -> str:
    """Return the text of a system file; "" where there is none."""
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
