"""Whatever a library does to its process costs one row, which says what it was; real processes throughout."""

import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import fakes
import psutil
import pytest

from breakeven.engine.measure import Measurement, measure_artifacts
from breakeven.engine.samples import UNTIMED
from breakeven.engine.settings import TWIN, Budget, Scenario

pytestmark = pytest.mark.timeout(300)
BUDGET = Budget(seconds=0, seconds_per_variant=0, min_replicates=2, rounds=3, block_ms=2, settle_ms=2)
HEALTHY = ("base", TWIN, "other")

# fault, and what its row has to say
SUDDEN = {
    "segfault": "killed by SIGSEGV; its last words: reading address 0",
    "killed": "killed by SIGKILL",
    "hard_exit": "ended with exit code 3; its last words: error: no such kernel",
    "soft_exit": "ended with exit code 1; its last words: SystemExit: no licence found",
    "error": "ValueError: a shape of 3",
}
CASES = {(fault, when): reason for fault, reason in SUDDEN.items() for when in ("load", "block")}
CASES |= {
    ("killed", "start"): "killed by SIGKILL",
    ("segfault", "first call"): "killed by SIGSEGV; its last words: reading address 0",
    ("hard_exit", "warm-up"): "ended with exit code 3; its last words: error: no such kernel",
    ("garbage", "load"): "its answer is not one: b'\\xff not an answer'; killed",
    ("garbage", "block"): "its answer is not one: b'\\xff not an answer'; killed",
    ("lie", "first call"): "its outputs are off by 2 of the largest from those that it was scored with",
}


@pytest.fixture(autouse=True)
def workers_find_the_fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(fakes.__file__).parent.parent))
    monkeypatch.setattr(psutil, "cpu_percent", lambda interval: 0.0)  # which is half a second's sleep


def run(
    folder: Path, cases: list[tuple[str, str]], budget: Budget = BUDGET, **options: object
) -> Measurement:
    """Measure healthy variants beside one of each case."""
    variants = {name: fakes.write(folder / name, "faulty") for name in ("base", "other")}
    for fault, when in cases:
        name = f"{fault} at {when}"
        variants[name] = fakes.write(folder / name, "faulty", fault=fault, when=when)
    return measure_artifacts(variants, fakes.CPU1, budget, fakes.IMAGES, scored=True, **options)  # type: ignore[arg-type]


def assert_whole(measured: Measurement, names: tuple[str, ...] = HEALTHY, budget: Budget = BUDGET) -> None:
    """These have all that was asked for."""
    for name in names:
        finding = measured[name]
        assert finding.verdict not in UNTIMED, (name, finding.reason)
        assert [r.number for r in finding.replicates] == list(range(budget.min_replicates))
        rounds = [{block.round for block in r.blocks} for r in finding.replicates]
        assert rounds == [{*range(budget.rounds)}] * budget.min_replicates


@pytest.fixture(scope="module")
def all_at_once(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    """One run in which all of these happen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(fakes.__file__).parent.parent))
        patch.setattr(psutil, "cpu_percent", lambda interval: 0.0)
        return run(tmp_path_factory.mktemp("faults"), list(CASES))


@pytest.mark.parametrize(("fault", "when"), CASES)
def test_a_fault_costs_its_row_and_the_row_says_what_it_was(
    all_at_once: Measurement, fault: str, when: str
) -> None:
    finding = all_at_once[f"{fault} at {when}"]
    verdict = "wrong" if fault == "lie" else "failed"
    assert (finding.verdict, finding.reason) == (verdict, CASES[fault, when])
    assert (finding.speedup, finding.latency_ms) == (None, None)


def test_the_others_are_measured_as_if_nothing_had_happened(all_at_once: Measurement) -> None:
    assert_whole(all_at_once)
    assert all_at_once["other"].speedup and all_at_once[TWIN].speedup


def test_a_hang_ends_at_the_timeout_and_costs_its_row(tmp_path: Path) -> None:
    # Enough for the others to start on a busy machine.
    budget = replace(BUDGET, timeout_s=8)
    measured = run(tmp_path, [("hang", "block")], budget)
    assert measured["hang at block"].reason == "no answer within 8 s; killed"
    assert_whole(measured, budget=budget)


def test_a_worker_that_is_killed_from_outside_costs_its_row(tmp_path: Path) -> None:
    """As the kernel does, which may choose one that is stopped at the moment."""
    log = tmp_path / "log"
    variants = {name: fakes.write(tmp_path / name, "faulty") for name in ("base", "other")}
    variants["victim"] = fakes.write(tmp_path / "victim", "sleeping", log=str(log))

    def kill() -> None:
        # More calls of 2 ms than the warm-up has: it is in its blocks.
        deadline = time.monotonic() + 60
        while not log.exists() or len(lines := log.read_text().splitlines()) < 50:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.kill(json.loads(lines[-1])["process"], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    budget = replace(BUDGET, rounds=200, block_ms=0.5)
    measured = measure_artifacts(variants, fakes.CPU1, budget, fakes.IMAGES)
    killer.join()
    assert (measured["victim"].verdict, measured["victim"].reason) == ("failed", "killed by SIGKILL")
    assert_whole(measured, budget=budget)


@pytest.mark.parametrize("processes", [False, True])
def test_a_fault_costs_its_row_with_several_callers_too(tmp_path: Path, processes: bool) -> None:
    budget = replace(BUDGET, block_ms=0.2)
    scenario = Scenario(callers=2, processes=processes)
    measured = run(tmp_path, [("segfault", "block"), ("error", "block")], budget, scenario=scenario)
    assert measured["segfault at block"].reason == SUDDEN["segfault"]
    assert measured["error at block"].reason == SUDDEN["error"]
    assert_whole(measured)


@pytest.mark.parametrize("when", ["load", "block"])
def test_a_baseline_that_dies_ends_the_run_with_its_reason(tmp_path: Path, when: str) -> None:
    base = fakes.write(tmp_path / "base", "faulty", fault="killed", when=when)
    other = fakes.write(tmp_path / "other", "faulty")
    measured = measure_artifacts({"base": base, "other": other}, fakes.CPU1, BUDGET, fakes.IMAGES)
    # The twin is made of the same artifact.
    assert {measured[name].reason for name in ("base", TWIN)} == {"killed by SIGKILL"}
    assert "baseline failed" in measured.stopped
    assert (measured["other"].verdict, measured["other"].speedup) == ("undecided", None)


def test_what_was_not_scored_with_these_images_is_not_compared(tmp_path: Path) -> None:
    variants = {"base": fakes.write(tmp_path / "base", "faulty")}
    variants["lie"] = fakes.write(tmp_path / "lie", "faulty", fault="lie", when="first call")
    measured = measure_artifacts(variants, fakes.CPU1, BUDGET, fakes.IMAGES, scored=False)
    assert_whole(measured, ("base", TWIN, "lie"))
