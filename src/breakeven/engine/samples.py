"""What the workers' answers are kept in."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

OK, UNSUPPORTED, FAILED = "ok", "unsupported", "failed"


@dataclass(frozen=True)
class Block:
    """Some calls in a row."""

    round: int  # within the replicate; the baseline's block of the same number is its partner
    calls_ms: list[float]
    wall_ms: float  # of the whole block; with several callers less than the sum of their calls
    cpu_ms: float  # of the process, all threads
    switches: int  # involuntary context switches
    steal_ms: float  # of all cores: what the hypervisor gave to others
    mhz: float | None = None  # of the pinned cores, where it can be read
    device_ms: float | None = None  # on the accelerator, by its own clock
    began_ms: float = 0.0  # by a clock that all processes of the machine share
    inner: int = 1  # calls between two readings of the clock; each of `calls_ms` is the mean of so many

    @property
    def mean_ms(self) -> float:
        """Wall time for one call; its inverse is the throughput."""
        return self.wall_ms / (self.inner * len(self.calls_ms))


@dataclass
class Replicate:
    """One fresh process of one variant: its way to the steady state, and its blocks, one a round."""

    number: int
    load_s: float
    first_call_ms: float
    affinity: dict[str, Any]
    inner: int = 1  # calls between two readings of the clock
    warm: bool = False  # with what an earlier start left in the compiler's cache
    peak_memory_mb: float = 0.0
    warmup_ms: list[float] = field(default_factory=list)  # the calls after the first, in no other figure
    blocks: list[Block] = field(default_factory=list)

    @property
    def calls_ms(self) -> NDArray[np.float64]:
        """Every call of every block."""
        return np.concatenate([block.calls_ms for block in self.blocks])


@dataclass
class Samples:
    """All that was measured of one variant, or why it was not."""

    replicates: list[Replicate] = field(default_factory=list)
    status: str = OK  # or "unsupported", "failed"
    reason: str = ""
