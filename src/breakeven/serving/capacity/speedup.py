"""How much faster a service answers one caller with a variant than with the baseline."""

from dataclasses import dataclass

import numpy as np

from breakeven.engine.statistics import Interval, latency
from breakeven.results.served import CONFIDENCE
from breakeven.serving.capacity.blocks import Blocks
from breakeven.serving.capacity.parts import Parts, counted, parts, require_no_fallback


@dataclass(frozen=True)
class Answering:
    """What one caller sees of each service, block by block, milliseconds."""

    p50_ms: dict[str, list[float]]  # name -> a value a round
    p99_ms: dict[str, list[float]]
    parts: dict[str, Parts]  # name -> means over all rounds

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
    latencies: dict[str, list[float]] = {name: [] for name in blocks.urls}
    for name in blocks.urls:
        blocks.closed(name)  # not counted
    before = {name: counted(url) for name, url in blocks.urls.items()}
    for names in blocks.rounds(rounds):
        for name in names:
            found = blocks.closed(name)
            assert found.latency  # a closed loop is never void
            p50[name].append(found.latency.p50)
            p99[name].append(found.latency.p99)
            latencies[name].extend(found.latency_ms.tolist())
    after = {name: counted(url) for name, url in blocks.urls.items()}
    own = {}
    for name in blocks.urls:
        require_no_fallback(name, before[name], after[name])
        own[name] = parts(before[name], after[name], float(np.mean(latencies[name])), offline_ms[name])
    return Answering(p50, p99, own)
