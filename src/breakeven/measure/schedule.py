"""Who runs when: replicates of fresh workers, rounds in random order, one worker at a time."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from breakeven.errors import Unsupported
from breakeven.measure.server import WorkerFailed
from breakeven.measure.workers import Nursery, WorkerProcess


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    replicates: int
    rounds: int
    block_ms: float
    timeout_s: float
    seed: int


@dataclass(frozen=True)
class Block:
    """Some calls in a row."""

    calls_ms: list[float]
    cpu_ms: float
    switches: int  # involuntary context switches
    steal_ms: float  # of all cores: what the hypervisor gave to others

    @property
    def mean_ms(self) -> float:
        """Of one call."""
        return sum(self.calls_ms) / len(self.calls_ms)


@dataclass
class Replicate:
    """One fresh process of one variant: its way to the steady state, and its blocks, one a round."""

    load_s: float
    first_call_ms: float
    affinity: dict[str, Any]
    peak_memory_mb: float = 0.0
    warmup: list[Block] = field(default_factory=list)  # on the way to the steady state, not in any figure
    blocks: list[Block] = field(default_factory=list)


@dataclass
class Samples:
    """All that was measured of one variant, or why it was not."""

    replicates: list[Replicate] = field(default_factory=list)
    status: str = "ok"  # or "unsupported", "failed"
    reason: str = ""


def measure(
    variants: Mapping[str, Path],
    hardware: Mapping[str, Any],
    images: Path,
    batch_size: int,
    plan: Plan,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Samples]:
    """Measure variants side by side.

    Args:
        variants: name -> folder of an artifact. The same folder may stand under two names (the twin).
        hardware: the settings of one hardware option.
        images: a .npy file of (N, C, H, W) uint8 images.
        progress: is told what goes on.

    A variant that fails is left out of what follows; its row says why.
    """
    samples = {name: Samples() for name in variants}
    draw = random.Random(plan.seed)
    for number in range(plan.replicates):
        progress(f"replicate {number + 1} of {plan.replicates}")
        # The order of building decides which memory a process gets, and with it some of its speed.
        order = [name for name in variants if samples[name].status == "ok"]
        draw.shuffle(order)
        with Nursery(hardware, plan.timeout_s) as nursery:
            alive = _start(order, variants, nursery, samples)
            _load(alive, images, batch_size, samples)
            _rounds(alive, plan, draw, samples)
    return samples


def _start(
    order: Sequence[str], variants: Mapping[str, Path], nursery: Nursery, samples: Mapping[str, Samples]
) -> dict[str, WorkerProcess]:
    """Start the workers; their libraries are imported side by side, because nothing is being timed yet."""
    names = list(variants)
    copies = {name: [variants[n] for n in names[: names.index(name)]].count(variants[name]) for name in order}
    for name in order:
        nursery.prepare(variants[name], copies[name])
    alive: dict[str, WorkerProcess] = {}
    for name in order:
        try:
            alive[name] = nursery.enter_context(nursery.worker(variants[name], copies[name]))
        except WorkerFailed as error:
            samples[name].status, samples[name].reason = "failed", str(error)
            continue
        _ask(name, alive, samples)
    return alive


def _load(
    alive: dict[str, WorkerProcess], images: Path, batch_size: int, samples: Mapping[str, Samples]
) -> None:
    """Load one after another, alone on the machine, because loading is timed."""
    for name in list(alive):
        cold = _ask(name, alive, samples, "load", images=str(images), batch_size=batch_size)
        if cold is not None:
            samples[name].replicates.append(Replicate(**cold))


def _rounds(
    alive: dict[str, WorkerProcess], plan: Plan, draw: random.Random, samples: Mapping[str, Samples]
) -> None:
    """Two blocks to warm up and calibrate, then the rounds."""
    calls: dict[str, int] = {}
    for name in list(alive):
        count = 2
        for target_ms in (5.0, plan.block_ms):
            block = _ask(name, alive, samples, "block", calls=count)
            if block is None:
                break
            samples[name].replicates[-1].warmup.append(Block(**block))
            count = max(1, round(target_ms * count / sum(block["calls_ms"])))
        calls[name] = count
    for _ in range(plan.rounds):
        order = list(alive)
        draw.shuffle(order)
        for name in order:
            block = _ask(name, alive, samples, "block", calls=calls[name])
            if block is not None:
                samples[name].replicates[-1].blocks.append(Block(**block))
    for name in list(alive):
        memory = _ask(name, alive, samples, "memory")
        if memory is not None:
            samples[name].replicates[-1].peak_memory_mb = memory["peak_memory_mb"]


def _ask(
    name: str,
    alive: dict[str, WorkerProcess],
    samples: Mapping[str, Samples],
    do: str | None = None,
    **fields: Any,
) -> dict[str, Any] | None:
    """A worker's answer, or None after its variant was struck off with the reason."""
    try:
        return alive[name].ask(do, **fields) if do else alive[name].answer()
    except Unsupported as error:
        samples[name].status, samples[name].reason = "unsupported", str(error)
    except WorkerFailed as error:
        samples[name].status, samples[name].reason = "failed", str(error)
    del alive[name]
    return None
