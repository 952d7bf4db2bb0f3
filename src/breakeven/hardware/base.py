"""What a hardware is: it pins, keeps the clock, waits for the device, and knows the memory."""

from abc import ABC, abstractmethod
from typing import Any

from pydantic import Field

from breakeven.option import Option


class Hardware(Option, ABC):
    """One device with a number of threads. No other code asks which device it is."""

    threads: int = Field(gt=0)

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """Variables that must be set before the process starts (thread counts)."""

    @abstractmethod
    def pin(self) -> dict[str, Any]:
        """Bind this process; what was done, and why not if it was not."""

    @abstractmethod
    def clock_ns(self) -> int:
        """A monotonic clock, nanoseconds."""

    @abstractmethod
    def synchronize(self) -> None:
        """Return when the device has done all that it was given."""

    @abstractmethod
    def steal_ms(self) -> float:
        """Time since the start of the machine in which others had its processor, all cores, milliseconds."""

    @abstractmethod
    def memory_mb(self) -> float:
        """Memory that this process holds now, without the pages of its libraries' files, 10**6 bytes."""

    @abstractmethod
    def peak_memory_mb(self) -> float:
        """The most memory that this process has held, likewise."""
