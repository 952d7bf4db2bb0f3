"""A number of processor cores, one thread each. It needs psutil."""

import resource
import sys
from typing import Any

import psutil

from breakeven.plugins.hardware.base import Host


class Cpu(Host):
    """The processor is the device."""

    @property
    def device(self) -> str:
        """Return "cpu"."""
        return "cpu"

    def environment(self) -> dict[str, str]:
        """Return the thread counts, and hide every GPU."""
        return super().environment() | {"CUDA_VISIBLE_DEVICES": ""}

    def synchronize(self) -> None:
        """Do nothing: a call that returned is done."""

    def mark(self) -> None:
        """Return None: the processor has no clock besides `clock_ns`."""

    def device_ms(self, since: Any) -> None:
        """Return None."""

    def memory_mb(self) -> float:
        """Return resident memory less library pages, which a forked process maps again when it reads them."""
        memory = psutil.Process().memory_info()
        return float(memory.rss - getattr(memory, "shared", 0)) / 1e6

    def peak_memory_mb(self) -> float:
        """Return peak resident memory less the library pages that are resident now."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return (peak - getattr(psutil.Process().memory_info(), "shared", 0)) / 1e6
