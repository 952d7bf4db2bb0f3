"""How much faster a service answers one caller with a variant than with the baseline."""

from dataclasses import dataclass

import numpy as np

from breakeven.engine.statistics import Interval, latency
from breakeven.serving.capacity.blocks import Blocks
from breakeven.serving.capacity.parts import Parts, counted, parts

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Answering:
    """What one caller sees of each service, block by block, milliseconds."""

    p50_ms: dict[str, list[float]]  # name -> a value a round
    p99_ms: dict[str, list[float]]
    parts: dict[str, Parts]  # name -> means over all rounds

    def speedup(self, baseline: str, name: str) -> Interval:
        """Return how many times as fast `name` answers, by the medians of each round."""
        ratios = np.divide(self.p50_ms[baseline], self.p50_ms[name])
        return latency(ratios.tolist(), CONFIDENCE)

    def p50(self, name: str) -> Interval:
        """Return the median latency."""
        return latency(self.p50_ms[name], CONFIDENCE)


def answering(blocks: Blocks, rounds: int, offline_ms: dict[str, float]) -> Answering:
    """Let one caller ask all services in turn.

    Args:
        offline_ms: name -> what a call of the model takes offline.
    """
    p50: dict[str, list[float]] = {name: [] for name in blocks.urls}
    p99: dict[str, list[float]] = {name: [] for name in blocks.urls}
    means: dict[str, list[float]] = {name: [] for name in blocks.urls}
    before = {name: counted(url) for name, url in blocks.urls.items()}
    for names in blocks.rounds(rounds):
        for name in names:
            found = blocks.closed(name).latency
            assert found  # a closed loop is never void
            p50[name].append(found.p50)
            p99[name].append(found.p99)
            means[name].append(found.mean)
    own = {
        name: parts(before[name], counted(url), float(np.mean(means[name])), offline_ms[name])
        for name, url in blocks.urls.items()
    }
    return Answering(p50, p99, own)
