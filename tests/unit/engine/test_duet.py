"""A duet runs two variants at the same time on cores that they swap; it counts only if its guard holds."""

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from fake_artifacts import BUDGET, fake

from breakeven.artifacts import artifact
from breakeven.core import plugin
from breakeven.engine import duet
from breakeven.engine.comparison import Comparison, ComparisonSet
from breakeven.engine.settings import SINGLE_STREAM, TWIN, Scenario
from breakeven.engine.statistics import Interval
from breakeven.plugins.hardware.base import Host

pytestmark = pytest.mark.timeout(300)
CPU1 = plugin.load("hardware", fakes.CPU1, "hardware.cpu1")
TWO_CORES = pytest.mark.skipif(bool(duet.why_not(CPU1, SINGLE_STREAM)), reason="needs two physical cores")


@pytest.fixture(autouse=True)
def workers_find_the_fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(fakes.__file__).parent.parent))


@TWO_CORES
def test_both_sides_run_at_the_same_time_and_swap_their_cores(tmp_path: Path) -> None:
    log = tmp_path / "log"
    variants = fake(tmp_path, "base", "other", runtime="sleeping", log=str(log))
    budget = replace(BUDGET, block_ms=40)
    measured = duet.measure_in_duet(variants, fakes.CPU1, budget, fakes.IMAGES)
    assert list(measured.findings.of) == ["base", TWIN, "other"]  # the slowed copy is the guard's alone
    base, other = measured["base"].replicates, measured["other"].replicates
    at_once = []
    for ours, theirs in zip(base, other, strict=True):
        assert len(theirs.blocks) == BUDGET.rounds
        assert len(ours.blocks) == 3 * BUDGET.rounds  # with the twin, the slowed copy, and the other
        of_round = {block.round: block for block in ours.blocks}
        for block in theirs.blocks:
            mine = of_round[block.round]
            at_once.append(abs(block.began_ms - mine.began_ms) < block.wall_ms / 2)
            assert len(block.calls_ms) == len(mine.calls_ms)
    assert sum(at_once) > len(at_once) / 2  # a burst of other programs may delay some
    calls = defaultdict(list)
    for line in log.read_text().splitlines():
        call = json.loads(line)
        calls[call["process"]].append(call["cores"])
    bound = [cores for own in calls.values() for cores in own]
    assert all(len(cores) == 1 for cores in bound)
    assert any(len({*map(tuple, own)}) == 2 for own in calls.values())


@TWO_CORES
def test_a_known_slowdown_comes_out_of_a_duet(tmp_path: Path) -> None:
    variants = {**fake(tmp_path, "base", runtime="sleeping", log=str(tmp_path / "log"))}
    variants |= fake(
        tmp_path, "twice", runtime="slowed", of={"name": "fakes.sleeping", "log": "/dev/null"}, share=1.0
    )
    card = variants["twice"] / "artifact.json"
    card.write_text(card.read_text().replace("fakes.slowed", duet.RUNTIME))
    budget = replace(BUDGET, min_replicates=3, rounds=5)
    measured = duet.measure_in_duet(variants, fakes.CPU1, budget, fakes.IMAGES)
    twice = measured["twice"]
    # Its interval, not its estimate, has to hold about 0.5: other programs widen the one and move the other.
    assert twice.verdict == "slower" and twice.speedup, twice
    assert twice.speedup.low < 0.65 and twice.speedup.high > 0.4, twice


@TWO_CORES
@pytest.mark.parametrize("fault", ["error", "killed"])
def test_a_failure_costs_the_variant_that_failed(tmp_path: Path, fault: str) -> None:
    sound, broken = fake(tmp_path, "sound")["sound"], fake(tmp_path, "broken", fault=fault)["broken"]
    measured = duet.measure_in_duet({"base": sound, "other": broken}, fakes.CPU1, BUDGET, fakes.IMAGES)
    assert (measured["other"].verdict, measured["base"].verdict) == ("failed", "baseline")
    measured = duet.measure_in_duet({"base": broken, "other": sound}, fakes.CPU1, BUDGET, fakes.IMAGES)
    assert measured["base"].verdict == "failed" and measured["other"].verdict != "failed"
    assert measured.doubt == "the baseline was not measured"


def test_a_program_of_its_own_gets_no_duet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "free_cores", lambda self: [0, 1])
    card = artifact.read(fake(tmp_path, "cpp")["cpp"])
    settings = {"name": "libtorch", "of": {"name": "torchscript", "method": "trace", "freeze": True}}
    artifact.save(tmp_path / "cpp", replace(card, settings=settings))
    assert "a program of its own" in duet.why_not(CPU1, SINGLE_STREAM, tmp_path / "cpp")


@pytest.mark.parametrize(
    ("hardware", "scenario", "said"),
    [
        ({"name": "cpu", "threads": 2}, SINGLE_STREAM, "use several"),
        ({"name": "cpu", "threads": 1}, Scenario(callers=2), "use several"),
        ({"name": "cuda", "threads": 1}, SINGLE_STREAM, "another device"),
    ],
)
def test_what_needs_more_than_a_core_gets_no_duet(hardware: dict, scenario: Scenario, said: str) -> None:
    assert said in duet.why_not(plugin.load("hardware", hardware, "hardware.x"), scenario)


def test_one_core_gets_no_duet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "free_cores", lambda self: [0])
    assert "two physical cores" in duet.why_not(CPU1, SINGLE_STREAM)


def found(slowdown: float | None, fault: str = "") -> ComparisonSet:
    ratio = None if slowdown is None else 1 / (1 + slowdown)
    speedup = Interval(ratio, ratio, ratio) if ratio else None
    slowed = Comparison(
        "failed" if ratio is None else "slower", "it crashed" if ratio is None else "", speedup
    )
    return ComparisonSet({duet.SLOWED: slowed}, 1.0, fault)


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        (found(0.02), ""),
        (found(0.0249), ""),
        (found(0.026), "a copy that is slower by 2.0% came out slower by 2.6%"),
        (found(0.01), "came out slower by 1.0%"),
        (found(None), "was not measured: it crashed"),
        (found(0.02, "the twin differs from the baseline"), "the twin differs from the baseline"),
    ],
)
def test_the_findings_count_only_if_twin_and_slowed_copy_come_out_right(
    findings: ComparisonSet, said: str
) -> None:
    why = duet.guard(findings)
    assert said in why and bool(why) == bool(said)
