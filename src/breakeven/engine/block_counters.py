"""Counters of what a block costs besides the time of its calls."""

import resource
import time
from typing import Any

from breakeven.plugins.hardware.base import Hardware


class BlockCounters:
    """Counters of this process and its hardware, from `start` to `stop`."""

    def __init__(self, hardware: Hardware) -> None:
        self._hardware = hardware

    def start(self) -> None:
        """Start counting."""
        self._switches = self._involuntary()
        self._stolen = self._hardware.steal_ms()
        self._mark = self._hardware.mark()
        self._cpu = time.process_time_ns()
        self._began = time.monotonic_ns()

    def stop(self) -> dict[str, Any]:
        """Return the counts since `start`, as fields of `Block` by name."""
        cpu, device = time.process_time_ns() - self._cpu, self._hardware.device_ms(self._mark)
        return {
            "began_ms": self._began / 1e6,
            "cpu_ms": cpu / 1e6,
            "switches": self._involuntary() - self._switches,
            "steal_ms": self._hardware.steal_ms() - self._stolen,
            "mhz": self._hardware.frequency_mhz(),
            "device_ms": device,
        }

    def _involuntary(self) -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
