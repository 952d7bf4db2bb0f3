"""Samples whose truth is known, of a machine that drifts, is disturbed, and favours some processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.engine.samples import Block, Replicate, Samples

Times = NDArray[np.float64]


@dataclass(frozen=True)
class Machine:
    """What disturbs a measurement; all on the logarithm of the time."""

    bias: float = 0.01  # of a process for its whole life: standard deviation
    noise: float = 0.01  # of a block: scale of a distribution with heavy tails
    bursts: float = 0.05  # the share of blocks that somebody else's work makes up to four times as long
    drift: float = 0.05  # from one round to the next, for all variants alike: standard deviation

    def times(
        self,
        draw: np.random.Generator,
        runs: int,
        speedups: Sequence[float],
        replicates: int,
        rounds: int = 15,
    ) -> Times:
        """Milliseconds a call, (run, replicate, variant, round); the baseline is before the `speedups`."""
        shape = (runs, replicates, 1 + len(speedups), rounds)
        slow = -np.log([1.0, *speedups])[:, None]
        drift = draw.normal(0, self.drift, (runs, replicates, 1, rounds)).cumsum(-1)
        bias = draw.normal(0, self.bias, (*shape[:-1], 1))
        noise = self.noise * draw.standard_t(3, shape)
        hit = (draw.random(shape) < self.bursts) * draw.uniform(0, np.log(4), shape)
        return np.asarray(np.exp(slow + drift + bias + noise + hit))


def block(number: int, call_ms: float, calls: int = 2, **changes: Any) -> Block:
    """A block of the round `number`, all of whose calls take the same time."""
    facts = {"calls_ms": [call_ms] * calls, "wall_ms": calls * call_ms, "cpu_ms": calls * call_ms}
    return Block(number, **{**facts, "switches": 0, "steal_ms": 0.0, **changes})


def replicate(number: int, blocks: Sequence[float | Block], **changes: Any) -> Replicate:
    """A replicate with these blocks, or one of each of these times a round."""
    own = [each if isinstance(each, Block) else block(at, each) for at, each in enumerate(blocks)]
    facts = {"load_s": 0.1, "first_call_ms": own[0].mean_ms, "warmup_ms": [own[0].mean_ms] * 5}
    facts["affinity"] = {"pinned": True, "cpus": [0]}
    return Replicate(number, **{**facts, "peak_memory_mb": 5.0, **changes}, blocks=own)


def samples(times: Times, **changes: Any) -> Samples:
    """One variant's, from times (replicate, round)."""
    return Samples([replicate(number, list(own), **changes) for number, own in enumerate(times.tolist())])


def run(times: Times, names: Sequence[str]) -> dict[str, Samples]:
    """One run's, from times (replicate, variant, round)."""
    return {name: samples(times[:, place]) for place, name in enumerate(names)}
