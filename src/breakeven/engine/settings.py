"""What is measured, and how much of it."""

from dataclasses import dataclass

TWIN = "twin"  # the name of the control


@dataclass(frozen=True)
class Scenario:
    """How a model is called.

    One caller and one image is the single stream; more images a batch; more callers a server, whose callers
    are threads of one process that share a session, or processes with one each.
    """

    batch_size: int = 1
    callers: int = 1
    processes: bool = False  # the callers, rather than threads

    @property
    def name(self) -> str:
        """As it stands in the results."""
        if self.callers > 1:
            return "server_processes" if self.processes else "server_threads"
        return "single_stream" if self.batch_size == 1 else "batch"

    @property
    def title(self) -> str:
        """For people."""
        kind = "processes" if self.processes else "threads"
        callers = f", {self.callers} callers ({kind})" if self.callers > 1 else ""
        return f"batch {self.batch_size}{callers}"


SINGLE_STREAM = Scenario()


@dataclass(frozen=True)
class Budget:
    """When to stop, and how the time is divided. The defaults are justified in docs/measuring.md.

    Attributes:
        half_width: of every corrected interval, as a share of the speedup: narrower than that is enough.
        seconds: time for the replicates, besides `seconds_per_variant` for each variant. Whichever comes
            first, but never fewer than `min_replicates`.
        rounds: blocks of each variant in a replicate.
        block_ms: length of a block: long against the clock, short against the noise.
        settle_ms: the most time for the calls before each block that are not counted, because the caches
            were somebody else's; a longer call is one of them.
        narrow_replicates: how many replicates there must be before narrow intervals end the run. A spread
            that is estimated from few replicates is often too small.
        warm_up_calls: the fewest calls of a fresh process before its first block.
        loop_ms: the time between two readings of the clock, for calls that are short against a reading; 0
            reads it after each call.
        memory_mb: the most that workers alive at once may hold; 0: half of what is free.
    """

    half_width: float = 0.01
    seconds: float = 30.0
    seconds_per_variant: float = 10.0
    min_replicates: int = 5
    narrow_replicates: int = 0
    max_replicates: int = 40
    rounds: int = 10
    block_ms: float = 30.0
    settle_ms: float = 80.0
    warm_up_calls: int = 5
    loop_ms: float = 0.0
    memory_mb: float = 0.0
    timeout_s: float = 120.0
    confidence: float = 0.95
    margin: float = 0.01
    seed: int = 0

    def time_limit_s(self, variants: int) -> float:
        """For so many variants."""
        return self.seconds + self.seconds_per_variant * variants


@dataclass(frozen=True)
class RunProgress:
    """How far a run is, between two replicates."""

    replicates: int  # done
    spent_s: float
    limit_s: float  # the time budget
    left_s: float  # at most, if the next replicates take as long as these did
    half_width: float | None = None  # of the widest interval, as a share; two replicates have none yet

    def __str__(self) -> str:
        done = f"replicate {self.replicates}, {self.spent_s:.0f} of {self.limit_s:.0f} s"
        if self.half_width is None:
            return done
        widest = f"±{self.half_width:.1%}" if self.half_width < 10 else "more than ±1000%"
        return f"{done}, widest interval {widest}"
