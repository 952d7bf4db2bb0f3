"""A number of processor cores, one thread each."""

import resource
import sys
from typing import Any

import psutil

from breakeven.plugins.hardware.base import Host


class Cpu(Host):
    """The processor is the device."""

    @property
    def device(self) -> str:
        """The processor."""
        return "cpu"

    def environment(self) -> dict[str, str]:
        """And no GPU is seen."""
        return super().environment() | {"CUDA_VISIBLE_DEVICES": ""}

    def synchronize(self) -> None:
        """A call that returned is done."""

    def mark(self) -> None:
        """A processor's own clock is the clock."""

    def device_ms(self, since: Any) -> None:
        """None."""

    def memory_mb(self) -> float:
        """Resident memory, less library pages, which a forked process maps anew when it touches them."""
        memory = psutil.Process().memory_info()
        return float(memory.rss - getattr(memory, "shared", 0)) / 1e6

    def peak_memory_mb(self) -> float:
        """Peak resident memory, less the library pages that are resident now."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return (peak - getattr(psutil.Process().memory_info(), "shared", 0)) / 1e6
