"""Duet: two variants run at the same time, one on each of two physical cores, which they swap each block.

What slows the machine then slows both, and cancels from their ratio (Bulej and others, 2020, "Duet
Benchmarking: Improving Measurement Accuracy in the Cloud", ICPE). Both share the caches outside of the cores
and the memory, so the method can also shift a ratio. A run therefore carries a guard: a twin of the baseline,
and a copy of it that is slower by a known share. The findings count only if both come out right.
"""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from breakeven.artifacts import artifact
from breakeven.core import plugin
from breakeven.core.files import temporary_folder
from breakeven.engine.comparison import ComparisonSet
from breakeven.engine.samples import Block
from breakeven.engine.schedule import Schedule
from breakeven.engine.settings import Scenario
from breakeven.engine.variant_processes import VariantProcesses
from breakeven.plugins.hardware.base import Hardware, Host

SLOWED, SHARE = "slowed", 0.02  # the copy of the baseline that is slower by this share
TOLERANCE = 0.005  # of the slowdown that is found
RUNTIME = "breakeven.engine.selftest.slowed"


def why_not(hardware: Hardware, scenario: Scenario) -> str:
    """Return why this hardware cannot run two variants at the same time; "" if it can."""
    if not isinstance(hardware, Host) or hardware.device != "cpu":
        return "a duet needs processor cores, and this hardware has another device"
    if hardware.threads > 1 or scenario.callers > 1:
        return "a duet needs variants that use one core, and these use several"
    if len(hardware.free_cores()) < 2:
        return "a duet needs two physical cores, and this process may use one"
    return ""


@contextmanager
def slowed_copy(folder: Path) -> Iterator[Path]:
    """Yield the folder of a copy of an artifact that is slower by `SHARE`; the folder is temporary."""
    card = artifact.read(folder)
    with temporary_folder() as scratch:
        for source in (
            path for path in folder.rglob("*") if path.is_file() and path.name != artifact.MANIFEST
        ):
            target = scratch / source.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source.resolve())
        settings = {"name": RUNTIME, "of": card.settings, "share": SHARE}
        artifact.save(scratch, replace(card, settings=settings))
        yield scratch


def guard(findings: ComparisonSet) -> str:
    """Return why the findings of a duet do not count; "" if twin and slowed copy come out right."""
    if findings.fault:
        return findings.fault
    slowed = findings.of[SLOWED]
    if slowed.speedup is None:
        return f"the copy that is slower by {SHARE:.0%} was not measured: {slowed.reason}"
    found = 1 / slowed.speedup.value - 1
    if abs(found - SHARE) > TOLERANCE:
        return f"a copy that is slower by {SHARE:.1%} came out slower by {found:.1%}"
    return ""


class DuetSchedule(Schedule):
    """A schedule whose rounds hold a duet of the baseline with each other variant.

    Each duet counts as a round of its own in the records, because only its two blocks ran at one time.
    """

    _duets = 0  # so far in this replicate

    def _rounds(self, alive: dict[str, VariantProcesses]) -> None:
        base = next(iter(self.variants))
        began, self._duets = time.monotonic(), 0
        for _ in range(self.rounds):
            partners = [name for name in alive if name != base]
            self._draw.shuffle(partners)
            for partner in partners:
                self._duet(base, partner, alive)
            self._round += 1
        self._timed_s += time.monotonic() - began

    def _duet(self, base: str, partner: str, alive: dict[str, VariantProcesses]) -> None:
        """Time one block of both at the same time; each has the other core than in its last block."""
        if base not in alive or partner not in alive:
            return
        first = self._firsts[self._round % len(self._firsts)]
        cores = plugin.load("hardware", self.hardware, "hardware").free_cores()[:2]
        if (self._round + self._number) % 2:
            cores.reverse()
        pair = {base: alive[base], partner: alive[partner]}
        with self._drop_on_failure(partner, alive):
            for name, block in _together(pair, self._duets, first, cores).items():
                self.samples[name].replicates[-1].blocks.append(block)
        self._duets += 1


def _together(
    pair: Mapping[str, VariantProcesses], number: int, first: int, cores: list[int]
) -> dict[str, Block]:
    """Time a block of each of two variants, which start at the same time on one core each.

    Both make the same number of calls, and go on calling after them, so that neither ends alone.
    """
    calls, settle = max(own.calls for own in pair.values()), max(own.settle for own in pair.values())
    workers = [own.workers[0] for own in pair.values()]
    with ExitStack() as awake:
        for own, worker, core in zip(pair.values(), workers, cores, strict=True):
            awake.enter_context(worker.resumed())
            own.prepare(first)
            worker.ask("move", cores=[core])
        for worker in workers:
            worker.send("settle", calls=settle)
        for worker in workers:
            worker.answer()  # so that neither begins while the other one still settles
        for worker in workers:
            worker.send("block", calls=calls, settle=0, callers=1, after=math.ceil(calls / 4))
        answers = [worker.answer() for worker in workers]
    return {
        name: Block(number, **answer, inner=own.inner)
        for (name, own), answer in zip(pair.items(), answers, strict=True)
    }
