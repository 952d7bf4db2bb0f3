"""A run measures all that it was asked to, in every scenario, and stops when it has enough."""

import json
from dataclasses import replace
from pathlib import Path

import fakes
import numpy as np
import pytest
from fake_artifacts import BUDGET, fake
from fakes.caching import COMPILING_S

from breakeven.artifacts import artifact
from breakeven.core.errors import UserError
from breakeven.engine.measure import TIMED_BATCHES, Measurement, _timed, measure_artifacts
from breakeven.engine.settings import TWIN, Budget, RunProgress, Scenario
from breakeven.plugins.tasks.classification import Classification
from breakeven.results.assemble import BASELINE, RowBuilder

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(autouse=True)
def workers_find_the_fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(fakes.__file__).parent.parent))


def run(variants: dict[str, Path], budget: Budget = BUDGET, **options: object) -> Measurement:
    return measure_artifacts(variants, fakes.CPU1, budget, fakes.IMAGES, **options)  # type: ignore[arg-type]


def test_every_variant_and_a_twin_have_every_block_of_every_replicate(tmp_path: Path) -> None:
    measured = run(fake(tmp_path, "base", "a", "b"))
    assert list(measured.findings.of) == ["base", TWIN, "a", "b"]
    for name in ("base", TWIN, "a", "b"):
        finding = measured[name]
        assert [replicate.number for replicate in finding.replicates] == [0, 1]
        for replicate in finding.replicates:
            blocks = 2 if name == "base" else 1  # in a round; the baseline is in every comparison
            assert [block.round for block in replicate.blocks] == sorted([0, 1, 2] * blocks)
            assert replicate.load_s > 0 and replicate.first_call_ms > 0
            assert len(replicate.warmup_ms) >= 5
            assert all(call > 0 for block in replicate.blocks for call in block.calls_ms)
            # One caller: nothing is done between calls.
            assert all(block.wall_ms == pytest.approx(sum(block.calls_ms)) for block in replicate.blocks)
        assert finding.latency_ms and finding.latency_ms.value > 0
    assert measured["base"].speedup is None
    assert all(measured[name].speedup for name in (TWIN, "a", "b"))
    assert measured.findings.noise_floor and measured.seconds > 0


def test_idle_workers_are_stopped_while_another_one_is_timed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(fake(tmp_path, "base", "a", runtime="spying", log=str(log)))
    seen = [json.loads(line) for line in log.read_text().splitlines()]
    assert {call["others"] for call in seen} == {0, 1, 2}  # while loading not all are there yet
    assert [call for call in seen if call["awake"]] == []


def test_a_batch_has_as_many_images_as_it_says_and_a_runtime_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(fake(tmp_path, "base", runtime="spying", log=str(log)), scenario=Scenario(batch_size=6, callers=2))
    seen = [json.loads(line) for line in log.read_text().splitlines()]
    # More than there are images: some are in it twice.
    assert {call["batch"] for call in seen} == {6}
    assert [call for call in seen if call["told"] != [6, 2]] == []


def test_all_variants_of_a_round_are_timed_with_the_same_images_and_the_next_round_with_others(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    measured = run(fake(tmp_path, "base", "a", runtime="spying", log=str(log)), replace(BUDGET, rounds=6))
    assert measured["a"].reason == "" or measured["a"].unreliable  # as a busy machine may make it
    images: dict[int, list[float]] = {}
    for line in log.read_text().splitlines():
        call = json.loads(line)
        calls = images.setdefault(call["process"], [])
        if call["mean"] not in calls[-1:]:
            calls.append(call["mean"])
    orders = [tuple(calls) for calls in images.values()]
    assert len(orders) == 3 * BUDGET.min_replicates
    drawn = {order: orders.count(order) for order in orders}
    assert set(drawn.values()) == {3} or list(drawn.values()) == [len(orders)]  # base, twin and variant agree
    assert all(len(set(order)) == len(fakes.IMAGES) for order in drawn)


def test_the_first_images_come_first_and_the_others_are_drawn_once_each() -> None:
    images = np.arange(40 * 4, dtype=np.uint8).reshape(40, 1, 2, 2)
    chosen = _timed(images, 4, seed=0)
    assert chosen[:4].tolist() == [0, 1, 2, 3]
    assert sorted(chosen) == list(range(40))
    assert _timed(images, 4, seed=0).tolist() == chosen.tolist() != _timed(images, 4, seed=1).tolist()
    assert _timed(images, 64, seed=0).tolist() == [*range(40), *range(24)]
    assert len(_timed(np.broadcast_to(images[:1], (10_000, 1, 2, 2)), 1, 0)) == TIMED_BATCHES
    large = np.broadcast_to(np.uint8(0), (100, 3, 4000, 4000))
    assert len(_timed(large, 1, 0)) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("writes", "it writes into its inputs"),
        ("loads with threads", "it computes with 7 threads, and the hardware has threads=1"),
        ("calls with threads", "it computes with 7 threads, and the hardware has threads=1"),
    ],
)
def test_what_spoils_its_own_times_fails_with_the_reason(tmp_path: Path, fault: str, said: str) -> None:
    measured = run(fake(tmp_path, "base") | fake(tmp_path, "a", runtime="careless", fault=fault))
    assert measured["a"].verdict == "failed"
    assert said in measured["a"].reason
    assert measured["base"].verdict == "baseline"


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(batch_size=4),
        Scenario(callers=2),
        Scenario(callers=2, processes=True),
        Scenario(batch_size=2, callers=3),
    ],
    ids=lambda scenario: scenario.title,
)
def test_every_scenario_gives_calls_and_throughput(tmp_path: Path, scenario: Scenario) -> None:
    variants = fake(tmp_path, BASELINE, "a")
    budget = replace(BUDGET, block_ms=0.2)  # of several callers ten times as long
    measured = run(variants, budget, scenario=scenario, scored=True)
    for name in (BASELINE, TWIN, "a"):
        assert not measured[name].reason.startswith("killed")
        for block in (block for replicate in measured[name].replicates for block in replicate.blocks):
            assert len(block.calls_ms) % scenario.callers == 0 and len(block.calls_ms) > 0
            # No caller's calls take longer than the whole.
            assert 0 < sum(block.calls_ms) <= scenario.callers * block.wall_ms * 1.000001
    task = Classification(name="classification")
    judge = RowBuilder("cpu1", "cpu", "a machine", 1, scenario, 0.95, task)
    artifacts = {name: (folder, artifact.read(folder)) for name, folder in variants.items()}
    labels = np.zeros(len(fakes.IMAGES), np.int64)
    for row in judge.rows(artifacts, measured.findings, labels):
        assert row.throughput_per_s and row.throughput_per_s > 0, row.variant
        assert (row.scenario, row.callers) == (scenario.name, scenario.callers)


@pytest.mark.parametrize("processes", [False, True])
def test_callers_call_at_the_same_time(tmp_path: Path, processes: bool) -> None:
    log = tmp_path / "log"
    variants = fake(tmp_path, "base", runtime="sleeping", log=str(log))
    run(variants, scenario=Scenario(callers=2, processes=processes))
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    assert any(
        one["caller"] != two["caller"] and one["start"] < two["start"] < one["end"]
        for one in calls
        for two in calls
    )
    assert len({call["process"] for call in calls}) == 2 * BUDGET.min_replicates * (2 if processes else 1)


def test_what_does_not_fit_into_memory_at_once_is_measured_one_after_another(tmp_path: Path) -> None:
    log = tmp_path / "log"
    variants = fake(tmp_path, "base", "a", "b", "c", runtime="spying", log=str(log))
    measured = run(variants, replace(BUDGET, memory_mb=1))
    assert measured.findings.half_width > 0
    for number in range(BUDGET.min_replicates):
        rounds = {
            name: [block.round for block in finding.replicates[number].blocks]
            for name, finding in measured.findings.of.items()
        }
        # The baseline and the twin are in all groups, each of the others in one of its own.
        assert sorted(set(rounds["base"])) == rounds[TWIN] == list(range(3 * BUDGET.rounds))
        assert sorted(at for name in "abc" for at in rounds[name]) == rounds[TWIN]
        assert all(len(rounds[name]) == BUDGET.rounds for name in "abc")
        assert all(max(rounds[name]) - min(rounds[name]) == BUDGET.rounds - 1 for name in "abc")
    assert max(json.loads(line)["others"] for line in log.read_text().splitlines()) == 2


def test_what_fits_into_memory_is_measured_side_by_side(tmp_path: Path) -> None:
    measured = run(fake(tmp_path, "base", "a", "b"), replace(BUDGET, memory_mb=1e6))
    rounds = [{block.round for block in each.replicates[0].blocks} for each in measured.findings.of.values()]
    assert rounds == [{0, 1, 2}] * 4


def test_more_rounds_fill_the_time_where_blocks_are_noisier_than_processes(tmp_path: Path) -> None:
    budget = replace(BUDGET, seconds=20, min_replicates=3, max_replicates=3, half_width=1e-9)
    measured = run(fake(tmp_path, "base", "a", "b", runtime="sleeping", jitter=1.0), budget)
    first, *later = [len(replicate.blocks) for replicate in measured["a"].replicates]
    assert first == BUDGET.rounds
    assert all(BUDGET.rounds < blocks <= budget.max_rounds for blocks in later)


@pytest.mark.slow
def test_a_run_goes_on_until_it_has_the_blocks_that_it_was_asked_for(tmp_path: Path) -> None:
    wide = replace(BUDGET, seconds=120, min_replicates=3, max_rounds=4, half_width=1e9)
    measured = run(fake(tmp_path, "base", "a"), replace(wide, min_blocks=24))
    assert sum(len(each.blocks) for each in measured["a"].replicates) >= 24
    fewer = run(fake(tmp_path, "other", "b"), wide)
    assert sum(len(each.blocks) for each in fewer["b"].replicates) <= 12


def test_a_variant_that_another_one_dominates_is_measured_no_more_and_says_why(
    tmp_path: Path,
) -> None:
    slow = fake(tmp_path, "base", "slow", "small", runtime="sleeping", times=4)
    fast = fake(tmp_path, "fast", runtime="sleeping", times=1)
    budget = replace(BUDGET, min_replicates=3, max_replicates=5, seconds=120, half_width=1e-9, max_rounds=3)
    costs = {"base": (0.1, 4.0), "slow": (0.1, 4.0), "small": (0.1, 1.0), "fast": (0.1, 2.0)}
    measured = run(slow | fast, budget, costs=costs)
    replicates = {name: len(each.replicates) for name, each in measured.findings.of.items()}
    stopped = replicates.pop("slow")
    assert 3 <= stopped < 5 and replicates == {"base": 5, TWIN: 5, "small": 5, "fast": 5}
    # Where the machine is noisy, the reason goes on: two copies of the baseline may differ as much.
    assert measured["slow"].reason.startswith(
        f"stopped after {stopped} replicates, because fast is surely faster, and no worse in accuracy and "
        "size"
    )
    assert measured["slow"].verdict in ("same", "undecided") and measured["fast"].verdict == "faster"


def test_a_compiler_cache_is_cold_in_the_first_replicate_and_warm_after_it(tmp_path: Path) -> None:
    budget = replace(BUDGET, min_replicates=3)
    measured = run(fake(tmp_path, "base", "a", runtime="caching") | fake(tmp_path, "plain"), budget)
    for name in ("base", TWIN, "a"):  # and nobody is warmed by another one of the same artifact
        replicates = measured[name].replicates
        assert [replicate.warm for replicate in replicates] == [False, True, True]
        assert replicates[0].load_s >= COMPILING_S
    assert not any(replicate.warm for replicate in measured["plain"].replicates)


def test_every_run_starts_with_cold_caches(tmp_path: Path) -> None:
    variants = fake(tmp_path, "base", runtime="caching")
    assert [run(variants)["base"].replicates[0].warm for _ in range(2)] == [False, False]


def test_a_run_stops_when_its_intervals_are_narrow_enough(tmp_path: Path) -> None:
    said: list[RunProgress] = []
    budget = replace(BUDGET, half_width=1e100, seconds=1000, min_replicates=3)
    measured = run(fake(tmp_path, "base"), budget, progress=said.append)
    assert len(measured["base"].replicates) == 3
    assert "every interval within" in measured.stopped
    assert [str(step).split(",")[0] for step in said] == ["replicate 1", "replicate 2", "replicate 3"]
    assert said[0].half_width is None and said[1].half_width
    assert said[0].left_s > 0 and said[-1].left_s == 0  # it stops here


def test_a_run_stops_when_its_time_is_up_but_not_before_the_least_that_it_needs(tmp_path: Path) -> None:
    budget = replace(BUDGET, half_width=1e-9, min_replicates=3)
    measured = run(fake(tmp_path, "base"), budget)
    assert len(measured["base"].replicates) == 3
    assert measured.stopped == "no time for another"
    assert "few replicates" in [warning.name for warning in measured.warnings]


def test_a_run_stops_after_the_most_replicates(tmp_path: Path) -> None:
    budget = replace(BUDGET, half_width=1e-9, seconds=1000, max_replicates=4)
    measured = run(fake(tmp_path, "base"), budget)
    assert len(measured["base"].replicates) == 4
    assert measured.stopped == "4 replicates done"


def test_a_variant_that_is_twice_the_baseline_is_slower(tmp_path: Path) -> None:
    """The whole way from the clock to the estimate, without a word on how certain it is."""
    variants = fake(tmp_path, "base", runtime="sleeping") | fake(tmp_path, "a", runtime="sleeping", times=4)
    measured = run(variants, replace(BUDGET, block_ms=5))
    assert measured["a"].speedup and measured["a"].speedup.value < 1
    assert measured["a"].verdict not in ("faster", "same")


@pytest.mark.parametrize(
    ("variants", "hardware", "images", "said"),
    [
        ({}, fakes.CPU1, fakes.IMAGES, "variants: give at least one"),
        ({"base": "nowhere"}, fakes.CPU1, fakes.IMAGES, r"variants\['base'\]: nowhere holds no artifact"),
        ({"base": None}, {"name": "cpu"}, fakes.IMAGES, r"hardware\.threads is missing: give it a value\."),
        ({"base": None}, fakes.CPU1, fakes.IMAGES / 255, "images: give at least one image, as uint8"),
        ({"base": None}, fakes.CPU1, fakes.IMAGES[:0], "images: give at least one image, as uint8"),
    ],
)
def test_arguments_of_the_library_are_checked_in_its_own_words(tmp_path, variants, hardware, images, said):
    folders = {
        name: folder or str(fakes.write(tmp_path / name, "faulty")) for name, folder in variants.items()
    }
    with pytest.raises(UserError, match=said) as refused:
        measure_artifacts(folders, hardware, Budget(), images)
    assert "dvc repro" not in str(refused.value) and "breakeven compose" not in str(refused.value)
