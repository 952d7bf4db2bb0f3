"""A number of processor cores, one thread each."""

import os
import resource
import sys
import time
from typing import Any

import psutil

from breakeven.hardware.base import Hardware


class Cpu(Hardware):
    """`threads` threads, pinned to as many cores."""

    def environment(self) -> dict[str, str]:
        """Every OpenMP and BLAS reads one of these when it is loaded."""
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        return dict.fromkeys(names, str(self.threads)) | {"CUDA_VISIBLE_DEVICES": ""}

    def pin(self) -> dict[str, Any]:
        """Bind to the first `threads` of the cores that it may use."""
        if not hasattr(os, "sched_setaffinity"):
            return {"pinned": False, "reason": "this system cannot set a process's affinity"}
        allowed = sorted(os.sched_getaffinity(0))
        if self.threads > len(allowed):
            return {"pinned": False, "reason": f"{self.threads} threads on {len(allowed)} usable cores"}
        chosen = allowed[: self.threads]
        try:
            os.sched_setaffinity(0, chosen)
        except OSError as error:
            return {"pinned": False, "reason": str(error)}
        return {"pinned": True, "cpus": chosen}

    def clock_ns(self) -> int:
        """The performance counter."""
        return time.perf_counter_ns()

    def synchronize(self) -> None:
        """A call that returned is done."""

    def steal_ms(self) -> float:
        """As the kernel counts it, in ticks of 10 ms."""
        return 1000 * float(getattr(psutil.cpu_times(), "steal", 0.0))

    def memory_mb(self) -> float:
        """Resident memory, less library pages, which a forked process maps anew when it touches them."""
        memory = psutil.Process().memory_info()
        return float(memory.rss - getattr(memory, "shared", 0)) / 1e6

    def peak_memory_mb(self) -> float:
        """Peak resident memory, less the library pages that are resident now."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return (peak - getattr(psutil.Process().memory_info(), "shared", 0)) / 1e6
