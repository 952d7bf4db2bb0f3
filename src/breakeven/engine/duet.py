"""Duet: two variants run at the same time, one on each of two physical cores; they swap after each round.

What slows the machine then slows both, and cancels from their ratio (Bulej and others, 2020, "Duet
Benchmarking: Improving Measurement Accuracy in the Cloud", ICPE). Both share the caches outside of the cores
and the memory, so the method can also shift a ratio. A run therefore carries a guard: a twin of the baseline,
and a copy of it that is slower by a known share. The findings count only if both come out right.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

from breakeven.artifacts import artifact
from breakeven.core import plugin
from breakeven.core.errors import UserError
from breakeven.core.files import temporary_folder
from breakeven.engine.comparison import ComparisonSet
from breakeven.engine.measure import Measurement, measure_artifacts
from breakeven.engine.samples import Block
from breakeven.engine.schedule import Schedule
from breakeven.engine.settings import Scenario
from breakeven.engine.variant_processes import VariantProcesses
from breakeven.plugins.hardware.base import Hardware, Host
from breakeven.plugins.runtimes.base import Runtime

SLOWED, SHARE = "slowed", 0.02  # the copy of the baseline that is slower by this share
TOLERANCE = 0.005  # of the slowdown that is found
RUNTIME = "breakeven.engine.selftest.slowed"


def why_not(hardware: Hardware, scenario: Scenario, *folders: Path) -> str:
    """Return why these artifacts cannot run at the same time on this hardware; "" if they can."""
    if not isinstance(hardware, Host) or hardware.device != "cpu":
        return "a duet needs processor cores, and this hardware has another device"
    if hardware.threads > 1 or scenario.callers > 1:
        return "a duet needs variants that use one core, and these use several"
    if len(hardware.free_cores()) < 2:
        return "a duet needs two physical cores, and this process may use one"
    for card in map(artifact.read, folders):
        runtime: Any = plugin.find("runtimes", card.settings, card.runtime)
        if runtime.command is not Runtime.command:
            return "a duet needs workers in Python, and a program of its own executes this variant"
    return ""


def measure_in_duet(variants: Mapping[str, Path | str], *arguments: Any, **options: Any) -> Measurement:
    """Measure artifacts in duet with the first, which is the baseline.

    Args:
        variants: name -> the folder of an artifact; all of them are of one runtime and precision.
        arguments, options: as of `measure_artifacts`.

    Returns:
        The measurement; its `doubt` says why its findings do not count, if they do not.

    Raises:
        UserError: as of `measure_artifacts`; or a variant has the name of the guard.
    """
    if SLOWED in variants:
        raise UserError(f"variants: {SLOWED!r} is the name of a duet's guard; choose another one.")
    with slowed_copy(Path(next(iter(variants.values())))) as slowed:
        options |= {"kind": DuetSchedule, "guards": {SLOWED: slowed}}
        measured = measure_artifacts(variants, *arguments, **options)
    assert measured.guarded
    return replace(measured, doubt=guard(measured.guarded))


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
        began = time.monotonic()
        cores = plugin.load("hardware", self.hardware, "hardware").free_cores()[:2]
        if not self._round:  # else it is the next group of a replicate that memory does not hold at once
            self._duets = 0
        if self._number % 2:
            cores.reverse()
        for _ in range(self.rounds):
            partners = [name for name in alive if name != base]
            self._draw.shuffle(partners)
            for partner in partners:
                if base in alive and partner in alive:
                    self._duet({name: alive[name] for name in (base, partner)}, cores, alive)
            cores.reverse()
            self._round += 1
        for name in [name for name in alive if not self.samples[name].replicates[-1].blocks]:
            self.samples[name].replicates.pop()  # the baseline failed before its first duet
            del alive[name]
        self._timed_s += time.monotonic() - began

    def _duet(
        self, pair: Mapping[str, VariantProcesses], cores: list[int], alive: dict[str, VariantProcesses]
    ) -> None:
        """Time one block of both at the same time, on a core each.

        Both make the same number of timed calls. Each goes on calling until the other one has made its own,
        so that neither is alone.
        """
        first = self._firsts[self._round % len(self._firsts)]
        most, least = (choose(own.calls for own in pair.values()) for choose in (max, min))
        settle = max(own.settle for own in pair.values())
        with ExitStack() as awake:
            for (name, own), core in zip(pair.items(), cores, strict=True):
                awake.enter_context(own.workers[0].resumed())
                with self._drop_on_failure(name, alive):
                    own.prepare(first)
                    own.workers[0].ask("move", cores=[core])
            self._at_once(pair, alive, "settle", {name: {"calls": settle} for name in pair})
            blocks = {
                # The faster one makes more calls in the time of the slower one's block. Both add a quarter.
                name: {
                    "calls": most,
                    "settle": 0,
                    "callers": 1,
                    "after": ceil(most * (own.calls / least - 1 + 1 / 4)),
                }
                for name, own in pair.items()
            }
            answers = self._at_once(pair, alive, "block", blocks)
        if len(answers) == len(pair):
            for name, answer in answers.items():
                block = Block(self._duets, **answer, inner=pair[name].inner)
                self.samples[name].replicates[-1].blocks.append(block)
        self._duets += 1

    def _at_once(
        self,
        pair: Mapping[str, VariantProcesses],
        alive: dict[str, VariantProcesses],
        do: str,
        fields: Mapping[str, Mapping[str, Any]],
    ) -> dict[str, dict[str, Any]]:
        """Send a command to both unless one has failed, and return the answers.

        A failure costs the variant whose worker has failed.
        """
        if not {*pair} <= {*alive}:
            return {}
        for name, own in pair.items():
            own.workers[0].send(do, **fields[name])
        answers = {}
        for name, own in pair.items():
            with self._drop_on_failure(name, alive):
                answers[name] = own.workers[0].answer()
        return answers
