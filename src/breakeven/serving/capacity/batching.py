"""From which rate of requests on dynamic batching answers sooner."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from scipy.optimize import brentq

from breakeven.core.errors import Failed
from breakeven.results.served import BatchingRecord, RateTried
from breakeven.serving.capacity import bodies
from breakeven.serving.capacity.blocks import Blocks
from breakeven.serving.capacity.parts import CALL, counted, mean_ms
from breakeven.serving.load.result import LoadResult
from breakeven.serving.settings import ServiceSettings

PLAIN, BATCHED = "one sample a call", "batched"  # the names of the two services
SHARES = (0.1, 0.3, 0.5, 0.7, 0.85, 1.0, 1.15)  # of the rate that one caller reaches without pause
LEAST_PAIRS = 2  # for an interval
CLOSE = 1e-9  # to the rate at which a queue never ends


def compare(
    blocks: Blocks, samples: NDArray[Any], folder: Path, settings: ServiceSettings, replicates: int
) -> BatchingRecord:
    """Compare two services of one variant at growing rates, until neither keeps up.

    Args:
        blocks: of the services `PLAIN` and `BATCHED`.
        samples: as many as a batch has.
        folder: for a request of that many samples.
        settings: of the service with batching.
        replicates: pairs of blocks at each rate, with the same arrivals for both services.
    """
    alone_ms = blocks.closed(PLAIN).latency_ms.mean()
    one_ms = _call_ms(blocks, None)
    whole_ms = _call_ms(blocks, bodies.write_together(samples, folder))
    tried = []
    for share in SHARES:
        rate = share * 1e3 / alone_ms
        pairs = [_pair(blocks, rate, seed) for seed in range(replicates)]
        if any(batched.errors for _, batched in pairs):
            break
        refused = any(plain.errors for plain, _ in pairs)
        ratios = [
            plain.latency.mean / batched.latency.mean
            for plain, batched in pairs
            if plain.latency and batched.latency  # without a block in which the generator was late
        ]
        if refused or len(ratios) >= LEAST_PAIRS:
            tried.append(RateTried(rate, ratios, refused))
    batch_ms = whole_ms / len(samples)
    return BatchingRecord(
        settings.max_batch,
        settings.max_wait_ms,
        one_ms,
        batch_ms,
        predicted(alone_ms, alone_ms - one_ms + batch_ms, settings.max_wait_ms),
        tried,
    )


def predicted(plain_ms: float, batched_ms: float, wait_ms: float) -> float | None:
    """Return the rate at which both answer equally soon, requests per second; None: batching never pays.

    One core does the work of a request, so that requests queue as in M/D/1. Batching makes the work less,
    and lets each request wait for others.

    Args:
        plain_ms: the work of a request that has a call for itself.
        batched_ms: the work of a request in a full batch.
        wait_ms: how long a batch waits.
    """
    if batched_ms >= plain_ms:
        return None

    def gain_ms(rate: float) -> float:
        return _queue_ms(rate, plain_ms) + plain_ms - _queue_ms(rate, batched_ms) - batched_ms - wait_ms

    low, high = 0.0, (1 - CLOSE) * 1e3 / plain_ms
    return float(brentq(gain_ms, low, high)) if gain_ms(low) < 0 else 0.0


def _queue_ms(rate: float, work_ms: float) -> float:
    """Return the mean wait of a queue with arrivals at random times and equal work (Pollaczek, Khinchine)."""
    load = rate * work_ms / 1e3
    return load * work_ms / (2 * (1 - load))


def _pair(blocks: Blocks, rate: float, seed: int) -> tuple[LoadResult, LoadResult]:
    """Return a block without batching and one with it, of the same arrivals."""
    found = {name: blocks.open(name, rate, seed) for name in blocks.rounds(1, seed)[0]}
    return found[PLAIN], found[BATCHED]


def _call_ms(blocks: Blocks, body: Path | None) -> float:
    """Return what a call of the batched service takes: of one sample, or of those in a file."""
    before = counted(blocks.urls[BATCHED])
    if errors := blocks.closed(BATCHED, body).errors:
        raise Failed(f"requests to the service that batches fail: {', '.join(errors)}")
    return mean_ms(before, counted(blocks.urls[BATCHED]), CALL)


def services(settings: ServiceSettings) -> Mapping[str, ServiceSettings]:
    """Return the settings of the two services, of which the second one batches."""
    return {PLAIN: replace(settings, max_batch=1), BATCHED: settings}
