"""What a hardware is: it pins, keeps the clock, waits for the device, and knows the memory."""

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

FREQUENCY = "/sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq"
SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
QUOTA = "/sys/fs/cgroup/cpu.max"  # of a container: microseconds that it may use of each period, or "max"
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Hardware(Plugin, ABC):
    """One device with a number of threads. No other code asks which device it is."""

    threads: int = Field(gt=0)

    @property
    @abstractmethod
    def device(self) -> str:
        """As torch names it in this hardware's own environment: "cpu", "cuda:0"."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """Variables that must be set before the process starts (thread counts, visible devices)."""

    @abstractmethod
    def pin(self) -> dict[str, Any]:
        """Bind this process, and wake the device; what was done, and why not if it was not.

        Raises:
            Unsupported: this machine has no such device, or cannot use it.
        """

    @abstractmethod
    def clock_ns(self) -> int:
        """A monotonic clock, nanoseconds."""

    @abstractmethod
    def synchronize(self) -> None:
        """Return when the device has done all that it was given."""

    @abstractmethod
    def mark(self) -> Any:
        """A moment on the device's own clock."""

    @abstractmethod
    def device_ms(self, since: Any) -> float | None:
        """Time that has passed since `mark` on the device's own clock; None where it has none."""

    @abstractmethod
    def frequency_mhz(self) -> float | None:
        """Of the processor cores in use, or None where the system does not tell."""

    @abstractmethod
    def steal_ms(self) -> float:
        """Time since the start of the machine in which others had its processor, all cores, milliseconds."""

    @abstractmethod
    def memory_mb(self) -> float:
        """Memory of the device that this process holds now, without its libraries' own, 10**6 bytes."""

    @abstractmethod
    def peak_memory_mb(self) -> float:
        """The most memory that this process has held, likewise."""


class Host(Hardware):
    """The part that every hardware has: `threads` threads of the processor, pinned to as many cores."""

    def environment(self) -> dict[str, str]:
        """Every OpenMP and BLAS reads one of these when it is loaded."""
        return dict.fromkeys(THREADS, str(self.threads))

    def pin(self) -> dict[str, Any]:
        """Bind to `threads` of the cores that it may use, of other physical cores as far as there are."""
        if not hasattr(os, "sched_setaffinity"):
            return {"pinned": False, "reason": "this system cannot set a process's affinity"}
        allowed = sorted(os.sched_getaffinity(0))
        if self.threads > len(allowed):
            return {"pinned": False, "reason": f"{self.threads} threads on {len(allowed)} usable cores"}
        if self.threads > (quota := _quota()):
            reason = f"{self.threads} threads, where this container may use the time of {quota:g} cores"
            return {"pinned": False, "reason": reason}
        chosen = sorted(_apart(allowed)[: self.threads])
        try:
            os.sched_setaffinity(0, chosen)
        except OSError as error:
            return {"pinned": False, "reason": str(error)}
        return {"pinned": True, "cpus": chosen}

    def clock_ns(self) -> int:
        """The performance counter."""
        return time.perf_counter_ns()

    def frequency_mhz(self) -> float | None:
        """The mean over the cores that it may use; a virtual machine usually does not tell."""
        cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else []
        try:
            return float(fmean(int(Path(FREQUENCY.format(core)).read_text()) for core in cores)) / 1000
        except (OSError, ValueError, StatisticsError):
            return None

    def steal_ms(self) -> float:
        """As the kernel counts it, in ticks of 10 ms."""
        return 1000 * float(getattr(psutil.cpu_times(), "steal", 0.0))


def _apart(cores: Sequence[int]) -> list[int]:
    """One of each physical core first, then the others; as they are where the system does not tell."""
    first: dict[str, int] = {}
    for core in cores:
        first.setdefault(_read(SIBLINGS.format(core)) or str(core), core)
    return [*first.values(), *(core for core in cores if core not in first.values())]


def _quota() -> float:
    """The cores whose time this container may use; as many as there are where nothing is told of a limit."""
    used, _, period = _read(QUOTA).partition(" ")
    return int(used) / int(period) if used.isdigit() and period.isdigit() else float("inf")


def _read(path: str) -> str:
    """A file of the system's, "" where there is none."""
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
