"""The settings of a run: how models are called, and how much time the run gets."""

from dataclasses import dataclass

TWIN = "twin"  # the name of the copy of the baseline in a run, the A/A control


@dataclass(frozen=True)
class Scenario:
    """The way a model is called: images for each call, and callers at once.

    One caller with one image is a single stream. One caller with more images is a batch. Several callers are
    a server: they are threads of one process that share a session, or processes with a session each.
    """

    batch_size: int = 1
    callers: int = 1
    processes: bool = False  # whether callers are processes instead of threads

    @property
    def name(self) -> str:
        """Return the name of the scenario in the results."""
        if self.callers > 1:
            return "server_processes" if self.processes else "server_threads"
        return "single_stream" if self.batch_size == 1 else "batch"

    @property
    def title(self) -> str:
        """Return a description for people, such as "batch 1, 4 callers (threads)"."""
        kind = "processes" if self.processes else "threads"
        callers = f", {self.callers} callers ({kind})" if self.callers > 1 else ""
        return f"batch {self.batch_size}{callers}"


SINGLE_STREAM = Scenario()


@dataclass(frozen=True)
class Arrangement:
    """Who calls: callers that are threads of one process, or processes; and the threads of each call."""

    threads: int = 1  # of a call
    callers: int = 1
    processes: bool = False  # whether callers are processes instead of threads


ALONE = Arrangement()


@dataclass(frozen=True)
class Budget:
    """The rules for when a run stops, and how it divides its time.

    docs/measuring.md gives the reasons for the defaults.

    Attributes:
        half_width: stop when half the width of every corrected interval is at most this share of the
            speedup.
        seconds: time for the replicates; each variant adds `seconds_per_variant`. The run stops when this
            time is up or the intervals are narrow enough, but not before `min_replicates`.
        rounds: the fewest blocks of each variant in a replicate. A replicate has more if that narrows the
            intervals faster than another replicate would.
        max_rounds: the most blocks of each variant in a replicate, unless `min_blocks` asks for more.
        min_blocks: the fewest blocks of each variant in the whole run, if the time allows. The run then also
            goes on until p99 has bounds, which need some hundreds of blocks. 0 asks for neither.
        block_ms: length of a block. It is long compared with a reading of the clock. It is short, so that a
            round ends before the machine's speed changes.
        settle_ms: the most time for the uncounted calls before each block, which refill the processor's
            caches after another variant has used them. There is always at least one such call.
        narrow_replicates: the fewest replicates after which narrow intervals may end the run. A few
            replicates often underestimate the spread.
        warm_up_calls: the fewest calls of a fresh process before its first block.
        loop_ms: time between two readings of the clock, for calls that are hardly longer than a reading; 0
            reads the clock after each call.
        memory_mb: the most memory for workers that are alive at once, 10**6 bytes; 0 allows half of the free
            memory.
        timeout_s: the longest wait for an answer of a worker or fork server, seconds.
        confidence: the level of the intervals.
        margin: variants whose speedup is within 1 / (1 + margin) and 1 + margin count as the same.
        seed: the seed of the random order in which variants run.
    """

    half_width: float = 0.01
    seconds: float = 30.0
    seconds_per_variant: float = 10.0
    min_replicates: int = 5
    narrow_replicates: int = 0
    max_replicates: int = 40
    rounds: int = 5
    max_rounds: int = 100
    min_blocks: int = 0
    block_ms: float = 10.0
    settle_ms: float = 80.0
    warm_up_calls: int = 5
    loop_ms: float = 0.0
    memory_mb: float = 0.0
    timeout_s: float = 120.0
    confidence: float = 0.95
    margin: float = 0.01
    seed: int = 0

    def time_limit_s(self, variants: int) -> float:
        """Return the time budget of a run with this number of variants, seconds."""
        return self.seconds + self.seconds_per_variant * variants


@dataclass(frozen=True)
class RunProgress:
    """The progress of a run, reported after each replicate."""

    replicates: int  # done
    spent_s: float
    limit_s: float  # the time budget
    left_s: float  # an upper limit, if the next replicates take as long as the past ones
    half_width: float | None = None  # of the widest interval, as a share; None after one replicate

    def __str__(self) -> str:
        spent = f"{self.spent_s:.0f} of {self.limit_s:.0f} s"
        if self.spent_s > self.limit_s:  # as the least number of replicates may take
            spent = f"{self.spent_s:.0f} s, more than planned"
        done = f"replicate {self.replicates}, {spent}"
        if self.half_width is None:
            return done
        if self.half_width >= 10:
            return f"{done}, too few replicates for an interval"
        return f"{done}, widest interval ±{self.half_width:.1%}"
