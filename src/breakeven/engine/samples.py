"""The records of a run: blocks of calls, replicates, and the samples of a variant."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

# How an attempt ends. `UNTIMED` gives no figures: the toolchain cannot; it gives other results than eager;
# something broke, so that the next run tries again.
OK, UNSUPPORTED, WRONG, FAILED = "ok", "unsupported", "wrong", "failed"
UNTIMED = (UNSUPPORTED, WRONG, FAILED)
STOPPED = "stopped after"  # how the reason of a variant begins that races no more


@dataclass(frozen=True)
class Block:
    """Consecutive calls of one variant, with what they cost."""

    round: int  # within the replicate; compared with the baseline's block of the same round
    calls_ms: list[float]
    wall_ms: float  # of the whole block; less than the sum of the calls if several callers overlap
    cpu_ms: float  # processor time of all threads of the process
    switches: int  # involuntary context switches
    steal_ms: float  # of all cores: time that the hypervisor gave to other machines
    mhz: float | None = None  # frequency of the pinned cores; None where the system does not tell
    device_ms: float | None = None  # time on the accelerator, by the accelerator's clock
    began_ms: float = 0.0  # on a clock that all processes of the machine share
    inner: int = 1  # calls between two readings of the clock; each of `calls_ms` is their mean
    sentinel_ms: list[float] = field(default_factory=list)  # before and after; empty where none was taken

    @property
    def mean_ms(self) -> float:
        """Return the wall time for one call, milliseconds; its inverse is the throughput."""
        return self.wall_ms / (self.inner * len(self.calls_ms))


@dataclass
class Replicate:
    """One fresh process of one variant: its load, its warm-up, and one block for each round."""

    number: int
    load_s: float
    first_call_ms: float
    affinity: dict[str, Any]
    inner: int = 1  # calls between two readings of the clock
    warm: bool = False  # whether an earlier start had filled the compiler cache
    peak_memory_mb: float = 0.0
    warmup_ms: list[float] = field(default_factory=list)  # calls after the first, in no other field
    blocks: list[Block] = field(default_factory=list)

    @property
    def calls_ms(self) -> NDArray[np.float64]:
        """Return the times of the calls of all blocks, milliseconds, shape (calls,)."""
        return np.concatenate([block.calls_ms for block in self.blocks])


@dataclass
class Samples:
    """The replicates of one variant, or the reason why they are incomplete."""

    replicates: list[Replicate] = field(default_factory=list)
    status: str = OK  # or one of `UNTIMED`
    reason: str = ""
    stopped: str = ""  # why it takes part in no further replicate, although it could
