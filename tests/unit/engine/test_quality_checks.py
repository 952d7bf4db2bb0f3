"""A measurement is warned of for what is wrong with it, and for nothing else."""

import os
import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import simulation
from simulation import Machine

from breakeven.config.sections import Measure
from breakeven.engine.background_load import BackgroundLoad
from breakeven.engine.comparison import compare_to_baseline
from breakeven.engine.quality_checks import list_warnings
from breakeven.engine.samples import Samples
from breakeven.engine.settings import Budget

BUDGET = Budget(block_ms=20)
CALLS = 20  # of about a millisecond
QUIET = Machine(bias=0.001, noise=0.001, bursts=0, drift=0.01)
LOUD = Machine(bias=0.1)


class Run:
    """A run of a baseline, its twin and `a` with nothing wrong, to spoil."""

    def __init__(self, machine=QUIET, speedups=(1.0, 2.0)):
        times = machine.times(np.random.default_rng(0), 1, speedups, replicates=5, rounds=6)[0]
        self.samples = simulation.run(times, ["base", "twin", "a"])
        self.busy = 1.0
        self.each(lambda at, block: replace(block, calls_ms=block.calls_ms * 10, wall_ms=block.wall_ms * 10))

    def each(self, change, names=("base", "twin", "a")):
        """Change every block of some variants by its place in its replicate."""
        for name in names:
            for replicate in self.samples[name].replicates:
                replicate.blocks[:] = [change(at, block) for at, block in enumerate(replicate.blocks)]

    def warnings(self):
        found = compare_to_baseline(self.samples, 0.95, 0.01)
        return {each.name: each for each in list_warnings(self.samples, found, BUDGET, self.busy)}


def unreliable(run):
    """The twin is off: by a tenth, in every replicate."""
    run.each(lambda at, block: replace(block, wall_ms=1.1 * block.wall_ms), ["twin"])


def no_twin(run):
    run.samples["twin"] = Samples(status="failed", reason="killed by SIGKILL")


def busy(run):
    run.busy = 60.0


def unpinned(run):
    for measured in run.samples.values():
        for replicate in measured.replicates:
            replicate.affinity = {"pinned": False, "reason": "64 threads on 2 usable cores"}


def steal(run):
    """A quarter of the time of every block."""
    run.each(lambda at, block: replace(block, steal_ms=4 * block.wall_ms))


def throttling(run):
    """From 4 to 3 GHz in six rounds."""
    run.each(lambda at, block: replace(block, mhz=4000.0 - 200 * at))


def few_replicates(run):
    run.samples = Run(LOUD).samples


def hopeless(run):
    """So few and so loud replicates that an interval would hold any speedup."""
    run.samples = Run(replace(LOUD, noise=3.0)).samples


def unsteady_variant(run):
    """A third of the blocks of one variant take ten times as long, while the machine is as fast as ever."""
    rounds = Machine(bias=0.001, noise=0.0003, bursts=0, drift=0.01)
    times = rounds.times(np.random.default_rng(0), 1, (1.0, 2.0), replicates=5, rounds=15)[0]
    run.samples = simulation.run(10 * times, ["base", "twin", "a"])
    run.each(lambda at, block: replace(block, calls_ms=block.calls_ms * 10, wall_ms=block.wall_ms * 10))
    run.each(lambda at, block: replace(block, sentinel_ms=[1.0, 1.0]))
    run.each(lambda at, block: replace(block, wall_ms=block.wall_ms * (10 if at % 3 == 0 else 1)), ["a"])


def short_blocks(run):
    """The steady calls take a tenth of what the warm-up made them out to be."""
    run.each(
        lambda at, block: replace(
            block, calls_ms=[call / 10 for call in block.calls_ms], wall_ms=block.wall_ms / 10
        ),
        ["a"],
    )
    for replicate in run.samples["a"].replicates:
        replicate.warmup_ms = [replicate.first_call_ms / 10] * 9


def not_steady(run):
    for replicate in run.samples["a"].replicates:
        replicate.warmup_ms = [3 * replicate.first_call_ms] * 9
        replicate.first_call_ms *= 3


def test_what_others_take_is_not_what_this_process_and_its_children_take(monkeypatch):
    everyone, moments = iter([0.0, 2.0]), iter([0.0, 1.0])
    both = SimpleNamespace(nice=0.0, system=0.0)
    monkeypatch.setattr("psutil.cpu_times", lambda: SimpleNamespace(user=next(everyone), **vars(both)))
    monkeypatch.setattr("psutil.cpu_count", lambda: 2)
    monkeypatch.setattr("time.monotonic", lambda: next(moments))
    others = BackgroundLoad()
    spin = "import time\nwhile time.process_time() < 0.5: pass"
    os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", spin])
    assert 25 < others.percent <= 75  # of two cores' second: all of it, less what the child took


CAUSES = [
    (unreliable, "unreliable", "differs from the baseline", "again"),
    (no_twin, "unreliable", "the twin was not measured", "again"),
    (busy, "busy", "60%", "end other programs"),
    (unpinned, "unpinned", "64 threads on 2 usable cores", "fewer threads"),
    (steal, "steal", "to other machines", "another time"),
    (throttling, "throttling", "fell by 25%", "cool"),
    (few_replicates, "few replicates", "after 5 replicates", "measure.seconds_per_variant"),
    (hopeless, "few replicates", "5 replicates cannot give an interval that says anything", "min_replicates"),
    (unsteady_variant, "slow calls", "while the machine was not: a 33%", "p99"),
    (short_blocks, "short blocks", ": a", "measure.block_ms"),
    (not_steady, "warm-up too short", ": a", "measure."),
]


def test_a_run_with_nothing_wrong_is_not_warned_of():
    assert Run().warnings() == {}


@pytest.mark.parametrize(("spoil", "name", "text", "remedy"), CAUSES, ids=[c.__name__ for c, *_ in CAUSES])
def test_a_cause_gives_its_warning_with_a_remedy_and_no_other(spoil, name, text, remedy):
    run = Run()
    spoil(run)
    warnings = run.warnings()
    assert list(warnings) == [name]
    assert text in warnings[name].text
    assert remedy in warnings[name].remedy


@pytest.mark.parametrize("spoil", [cause for cause, *_ in CAUSES])
def test_a_setting_that_a_remedy_names_exists(spoil):
    run = Run()
    spoil(run)
    for warning in run.warnings().values():
        for setting in re.findall(r"measure\.(\w+)", warning.remedy):
            assert setting in Measure.model_fields


def test_all_causes_at_once_give_all_warnings():
    run = Run(LOUD)
    for spoil in (busy, unpinned, steal, throttling, short_blocks, no_twin):
        spoil(run)
    assert set(run.warnings()) == {name for _, name, *_ in CAUSES} - {"warm-up too short", "slow calls"}


@pytest.mark.parametrize(
    "change",
    [
        lambda at, block: replace(block, mhz=None),  # a virtual machine does not tell
        lambda at, block: replace(block, mhz=3000.0 + 100 * at),
        lambda at, block: replace(block, mhz=3000.0 - 30 * at),
        lambda at, block: replace(block, steal_ms=block.wall_ms / 1000),
    ],
    ids=["no frequency", "rising frequency", "frequency that hardly falls", "hardly any steal"],
)
def test_what_is_within_bounds_is_not_warned_of(change):
    run = Run()
    run.each(change)
    assert run.warnings() == {}


def test_a_replicate_that_was_not_steady_is_not_a_variant_that_is_not():
    run = Run()
    not_steady(run)
    run.samples["a"].replicates[0].warmup_ms[:] = [run.samples["a"].replicates[0].first_call_ms / 3] * 9
    assert run.warnings() == {}


def test_a_variant_that_failed_is_in_no_warning():
    run = Run()
    for spoil in (short_blocks, not_steady):
        spoil(run)
    run.samples["a"].status = "failed"
    assert run.warnings() == {}


def test_a_run_in_which_nothing_was_measured_has_no_warnings():
    run = Run()
    run.samples = {name: Samples(status="failed", reason="no memory") for name in run.samples}
    assert run.warnings() == {}
