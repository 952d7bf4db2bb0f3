"""From samples to rows, on samples whose truth is known."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import simulation

from breakeven.artifacts.artifact import LOGITS, Artifact
from breakeven.artifacts.operators import OperatorTime
from breakeven.engine.comparison import compare_to_baseline
from breakeven.engine.roofline import HardwarePeaks
from breakeven.engine.samples import Samples
from breakeven.engine.settings import SINGLE_STREAM, TWIN, Scenario
from breakeven.pipeline.benchmark import FamilyBenchmark
from breakeven.plugins.tasks.classification import Classification
from breakeven.results.assemble import BASELINE, RowBuilder

LABELS = np.arange(100) % 3
JITTER = np.array([-0.002, -0.001, 0.0, 0.001, 0.002])  # of a replicate, on the logarithm; its mean is 0
FAST, OTHER = "none/fp32/torchscript", "none/fp32/onnxruntime"
RIGHT = np.eye(3)[LABELS]  # logits with which every image is right


def samples(factor=1.0, jitter=JITTER, drift=(1.0, 1.5, 0.8), **changes):
    """Replicates of a variant that takes `factor` ms a call, on a machine whose speed drifts."""
    return simulation.samples(factor * np.exp(np.asarray(jitter))[:, None] * np.asarray(drift), **changes)


class Bench:
    """A family's artifacts on disk, and what was measured of them."""

    def __init__(self, root):
        self.root, self.artifacts, self.measured = root, {}, {}
        self.add(BASELINE, samples(jitter=0 * JITTER))
        self.measured[TWIN] = samples()

    def add(self, name, measured=None, logits=RIGHT, **card):
        recipe, precision, runtime = name.split("/")
        facts = {"quantization": "", "settings": {"name": runtime}, "preprocessing": "outside"}
        facts |= {"mean": [0.5], "std": [0.5], "parameters": 10, "macs": 20}
        made = Artifact("cnn", recipe=recipe, precision=precision, runtime=runtime, **facts, **card)
        folder = self.root / made.folder
        folder.mkdir(exist_ok=True)
        if made.status == "ok":
            np.save(folder / LOGITS, logits)
        self.artifacts[name] = (folder, made)
        if measured is not None:
            self.measured[name] = measured

    def rows(self, **context):
        facts = {"hardware": "cpu1", "device": "cpu", "machine": "a machine", "threads": 1}
        facts |= {"task": Classification(name="classification")}
        judge = RowBuilder(**{**facts, "scenario": SINGLE_STREAM, "confidence": 0.95, **context})
        found = compare_to_baseline(self.measured, 0.95, 0.01)
        return {row.variant: row for row in judge.rows(self.artifacts, found, LABELS)}


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_a_variant_that_takes_half_the_time_is_faster_by_two(bench):
    bench.add(FAST, samples(0.5))
    row = bench.rows()[FAST]
    assert (row.verdict, row.reason) == ("faster", "")
    assert row.speedup == pytest.approx(2)
    assert 1.97 < row.speedup_ci_low < 2 < row.speedup_ci_high < 2.03


def test_a_variant_that_takes_twice_the_time_is_slower_and_never_pays(bench):
    bench.add(FAST, samples(2.0))
    row = bench.rows()[FAST]
    assert (row.verdict, row.breakeven_calls) == ("slower", "never")


def test_a_variant_within_the_margin_is_the_same(bench):
    bench.add(FAST, samples(0.999))
    assert bench.rows()[FAST].verdict == "same"


def test_a_variant_that_varies_too_much_is_undecided(bench):
    bench.add(FAST, samples(0.98, jitter=20 * JITTER))
    assert bench.rows()[FAST].verdict == "undecided"


def test_the_baseline_and_its_twin_get_no_verdict(bench):
    rows = bench.rows()
    assert (rows[BASELINE].verdict, rows[BASELINE].speedup) == ("baseline", 1)
    assert (rows[TWIN].verdict, rows[TWIN].reason) == ("twin", "")


def test_a_biased_twin_leaves_every_variant_undecided_with_the_reason(bench):
    bench.add(FAST, samples(0.5))
    bench.add(OTHER, samples(2.0))
    bench.measured[TWIN] = samples(1.05)
    rows = bench.rows()
    assert {rows[name].verdict for name in (FAST, OTHER)} == {"undecided"}
    assert all("the twin differs from the baseline" in rows[name].reason for name in (FAST, OTHER, TWIN))


def test_a_twin_that_failed_leaves_every_variant_undecided_for_that_reason(bench):
    bench.add(FAST, samples(0.5))
    bench.measured[TWIN] = Samples(status="failed", reason="killed by SIGKILL")
    rows = bench.rows()
    assert rows[TWIN].verdict == "failed"
    assert rows[FAST].verdict == "undecided"
    assert "excludes" not in rows[FAST].reason


def test_the_noise_floor_is_the_twins_farthest_bound(bench):
    bench.add(FAST, samples(0.5))
    rows = bench.rows()
    twin = rows[TWIN]
    assert rows[FAST].noise_floor == max(twin.speedup_ci_high, 1 / twin.speedup_ci_low)


def test_a_variant_that_failed_while_measured_keeps_its_accuracy_and_its_reason(bench):
    bench.add(FAST, Samples(samples(0.5).replicates[:1], "failed", "killed by SIGSEGV"), score=0.9)
    row = bench.rows()[FAST]
    assert (row.verdict, row.reason, row.accuracy) == ("failed", "killed by SIGSEGV", 0.9)
    assert (row.speedup, row.latency_ms_p50) == (None, None)


@pytest.mark.parametrize("status", ["failed", "unsupported"])
def test_an_artifact_that_was_not_made_keeps_its_row_with_its_reason(bench, status):
    bench.add(FAST, status=status, reason="not installed")
    row = bench.rows()[FAST]
    assert (row.verdict, row.reason, row.replicates) == (status, "not installed", 0)
    assert (row.accuracy, row.accuracy_delta, row.speedup) == (None, None, None)


def test_more_variants_widen_each_interval(bench):
    bench.add(FAST, samples(0.5))
    alone = bench.rows()[FAST]
    bench.add(OTHER, samples(0.5))
    together = bench.rows()[FAST]
    assert together.speedup_ci_high - together.speedup_ci_low > alone.speedup_ci_high - alone.speedup_ci_low


def steady(factor=1.0, slow_calls=(), **changes):
    """Replicates of a variant that takes `factor` ms a call, after some slow ones."""
    first, *more = [*slow_calls, *[factor] * 9]
    return samples(factor, drift=(1, 1, 1), first_call_ms=first, warmup_ms=more, **changes)


def build(median, low, high):
    return {"build_s": median, "build_s_low": low, "build_s_high": high}


def test_break_even_is_the_extra_cost_over_the_saving_of_a_call(bench):
    # A constant speed, so that a call of the baseline takes 1 ms and one of the variant 0.5 ms.
    bench.measured[BASELINE] = steady(jitter=0 * JITTER)
    bench.measured[TWIN] = steady()
    bench.add(FAST, steady(0.5, slow_calls=[80.5, 20.5], load_s=0.3), **build(1.0, 0.9, 1.2))
    row = bench.rows()[FAST]
    # built in 1000 ms, loaded in 200 more, and in the first two calls 80 and 20 more than later
    assert float(row.breakeven_calls) == pytest.approx((1000 + 200 + 80 + 20) / 0.5, abs=1)
    assert float(row.breakeven_calls_low) < float(row.breakeven_calls) < float(row.breakeven_calls_high)


def test_the_training_of_the_compression_is_paid_back_too(bench):
    bench.measured[BASELINE] = steady(jitter=0 * JITTER)
    bench.measured[TWIN] = steady()
    bench.add("prune/fp32/eager", steady(0.5), train_s=3.0, **build(1.0, 0.9, 1.2))
    bench.add(FAST, steady(0.5), **build(1.0, 0.9, 1.2))
    rows = bench.rows()
    pruned, plain = rows["prune/fp32/eager"], rows[FAST]
    assert int(pruned.breakeven_calls) == pytest.approx((3000 + 1000) / 0.5, abs=1)
    assert int(pruned.breakeven_calls_low) == pytest.approx(int(plain.breakeven_calls_low) + 6000, rel=0.05)
    assert pruned.breakeven_calls_without_training == plain.breakeven_calls
    assert plain.breakeven_calls_without_training is None


def test_the_build_of_the_baseline_is_not_paid_back(bench):
    bench.add(FAST, samples(0.5), **build(1.0, 1.0, 1.0))
    (folder, card) = bench.artifacts[BASELINE]
    bench.artifacts[BASELINE] = (folder, replace(card, **build(1.0, 1.0, 1.0)))
    assert bench.rows()[FAST].breakeven_calls == "0"


@pytest.mark.parametrize(("factor", "expected"), [(2.0, "never"), (1.0001, "undecided")])
def test_what_saves_nothing_never_breaks_even(bench, factor, expected):
    bench.add(FAST, samples(factor))
    row = bench.rows()[FAST]
    assert {row.breakeven_calls, row.breakeven_calls_low, row.breakeven_calls_high} == {expected}


def test_a_run_that_cannot_be_trusted_has_no_calls_to_break_even(bench):
    bench.add(FAST, samples(0.5))
    bench.measured[TWIN] = samples(1.05)
    row = bench.rows()[FAST]
    assert (row.verdict, row.breakeven_calls) == ("undecided", "undecided")
    assert row.speedup == pytest.approx(2)  # told, though not judged


def test_the_way_to_the_steady_state_is_told(bench):
    bench.add(FAST, steady(0.5, slow_calls=[100.5, 40.5, 10.5], load_s=0.3))
    row = bench.rows()[FAST]
    assert (row.load_s, row.first_call_ms) == (pytest.approx(0.3), pytest.approx(100.5))
    assert row.calls_until_steady == 3
    assert row.cold_start_s == pytest.approx(0.3 + 0.1 + 0.04 + 0.01, rel=1e-3)


def test_a_variant_that_was_never_steady_has_no_count_of_calls_until_then(bench):
    bench.add(FAST, samples(0.5, first_call_ms=9.0, warmup_ms=[9.0] * 9))
    assert bench.rows()[FAST].calls_until_steady is None


def test_with_a_compiler_cache_the_first_start_is_the_cold_one_and_the_others_are_the_load(bench):
    slow, *quick = steady(0.5, slow_calls=[1000.0] * 5, load_s=20.0).replicates
    quick = [replace(again, warm=True) for again in steady(0.5, load_s=2.0).replicates[1:]]
    bench.add(FAST, Samples([slow, *quick]))
    row = bench.rows()[FAST]
    assert (row.load_s, row.first_call_ms) == (pytest.approx(2), pytest.approx(0.5))
    assert row.cold_start_s > 20
    assert row.calls_until_steady == 5


def test_the_time_of_the_compression_is_told(bench):
    bench.add(FAST, samples(0.5), train_s=12.5)
    rows = bench.rows()
    assert (rows[FAST].train_s, rows[BASELINE].train_s) == (12.5, 0)


def test_what_was_trained_further_is_compared_with_its_control_too(bench):
    wrong = RIGHT.copy()
    wrong[:5] = np.eye(3)[(LABELS[:5] + 1) % 3]
    pruned, control = "prune50/fp32/eager", "control/fp32/eager"
    bench.add(pruned, samples(0.5))
    bench.add(FAST, samples(0.5))
    assert bench.rows()[pruned].control_delta is None
    bench.add(control, samples(1.0), logits=wrong)
    assert bench.rows()[pruned].control_delta is None  # trained longer or shorter than the control
    rows = bench.rows(controls={"prune50": "control"})
    assert (rows[pruned].accuracy_delta, rows[pruned].control_delta) == (0, pytest.approx(0.05))
    assert rows[pruned].control_delta_ci_low < 0.05 < rows[pruned].control_delta_ci_high
    assert rows[FAST].control_delta is rows[control].control_delta is None


def test_what_it_executes_is_told_for_the_device_that_was_looked_at(bench):
    kernels = [asdict(OperatorTime("Conv", "fp32", 0.9)), asdict(OperatorTime("Cast", "", 0.1))]
    bench.add("none/int8-static/onnxruntime", samples(0.5), kernels=kernels)
    row = bench.rows()["none/int8-static/onnxruntime"]
    assert row.executed_precision == "fp32 90%, other 10%"
    assert row.reason.startswith(
        "not all in int8: of a call's time, its convolutions and linear layers take "
    )
    elsewhere = bench.rows(device="cuda:0")["none/int8-static/onnxruntime"]
    assert elsewhere.executed_precision is elsewhere.execution is None


def test_a_line_tells_what_else_is_known_of_how_it_executes(bench):
    assert bench.rows()[BASELINE].execution is None
    eager = [
        asdict(OperatorTime("aten::native_batch_norm", "fp32", 0.1, 4)),
        asdict(OperatorTime("aten::relu_", "fp32", 1)),
    ]
    bench.add(BASELINE, samples(1.0), kernels=eager)
    kernels = [asdict(OperatorTime("Conv", "fp32", 0.9, 4)), asdict(OperatorTime("Relu", "fp32", 0.1))]
    bench.add(FAST, samples(0.5), kernels=kernels, facts={"providers": "CPUExecutionProvider"})
    told = bench.rows()[FAST].execution
    assert told == "providers: CPUExecutionProvider; without a call of their own: 4 of 4 batch normalizations"


def test_the_accuracy_difference_is_counted_on_the_same_images(bench):
    wrong = RIGHT.copy()
    wrong[:5] = np.eye(3)[(LABELS[:5] + 1) % 3]
    bench.add(FAST, samples(0.5), logits=wrong)
    row = bench.rows()[FAST]
    assert row.accuracy_delta == pytest.approx(-0.05)
    assert row.accuracy_delta_ci_low < -0.05 < row.accuracy_delta_ci_high
    assert row.accuracy_p_value == pytest.approx(2 * 0.5**5)


@pytest.mark.parametrize(
    ("scenario", "name", "images"),
    [
        (Scenario(), "single_stream", 1),
        (Scenario(batch_size=8), "batch", 8),
        (Scenario(callers=4), "server_threads", 1),
        (Scenario(callers=4, processes=True), "server_processes", 1),
    ],
)
def test_throughput_counts_the_images_of_all_callers(bench, scenario, name, images):
    # Blocks of 8 calls of 0.5 ms each; those of several callers overlap, so that the whole takes less.
    blocks = [simulation.block(at, 0.5, 8, wall_ms=8 * 0.5 / scenario.callers) for at in range(3)]
    bench.add(FAST, Samples([simulation.replicate(number, blocks) for number in range(5)]))
    row = bench.rows(scenario=scenario)[FAST]
    assert row.throughput_per_s == pytest.approx(scenario.callers * images / 0.5e-3)
    assert row.latency_ms_p50 == pytest.approx(0.5)
    assert (row.scenario, row.callers, row.batch_size) == (name, scenario.callers, images)


def test_the_speedup_of_several_callers_is_that_of_their_throughput(bench):
    def served(call_ms, wall_ms):
        blocks = [simulation.block(at, call_ms, 8, wall_ms=wall_ms) for at in range(3)]
        return Samples([simulation.replicate(number, blocks) for number in range(5)])

    bench.measured = {BASELINE: served(1.0, 4.0), TWIN: served(1.0, 4.0)}
    bench.add(FAST, served(1.0, 2.0))  # each call takes as long, but twice as many are done
    row = bench.rows(scenario=Scenario(callers=4))[FAST]
    assert (row.speedup, row.verdict) == (pytest.approx(2), "faster")


def test_percentiles_are_those_of_all_calls(bench):
    calls = np.arange(1.0, 101.0)
    blocks = [simulation.block(0, 1.0, calls_ms=calls.tolist(), wall_ms=calls.sum())]
    bench.add(FAST, Samples([simulation.replicate(number, blocks) for number in range(5)]))
    row = bench.rows()[FAST]
    assert (row.latency_ms_p50, row.latency_ms_p90) == (pytest.approx(50.5), pytest.approx(90.1))
    assert row.latency_ms_p99 == pytest.approx(99.01)


PEAKS = HardwarePeaks({"fp32": 1e9}, {"262144": 1e9})  # a multiply-accumulate takes 2 ns, a weight 4 ns


def test_the_roofline_counts_only_what_a_call_needs(bench):
    bench.add(FAST, samples(0.5), used_macs=10, used_weights=5, activations=0)
    bench.add(OTHER, samples(0.5), activations=0)
    rows = bench.rows(peaks=PEAKS)
    assert rows[FAST].roofline_share == pytest.approx(20e-9 / 0.5e-3)
    assert rows[OTHER].roofline_share == pytest.approx(40e-9 / 0.5e-3)
    assert rows[FAST].macs == 20 and rows[FAST].params == 10


def test_a_bound_that_does_not_hold_gives_no_share_and_says_so(bench):
    bench.add(FAST, samples(0.5), used_macs=850_000, facts={"graph": "whole"})
    bench.add(OTHER, samples(0.5), used_macs=260_000)
    rows = bench.rows(peaks=PEAKS)
    assert rows[FAST].roofline_share is None
    assert rows[FAST].execution == (
        "graph: whole; no share of the roofline: the bound does not hold, it came out at 3.4"
    )
    assert rows[OTHER].roofline_share == pytest.approx(1.04)
    assert bench.rows(peaks=PEAKS, device="cuda:0")[FAST].execution.startswith("no share of the roofline")


def test_a_row_can_be_written_as_json(bench):
    bench.add(FAST, samples(0.5))
    for row in bench.rows().values():
        json.dumps(vars(row), allow_nan=False)


def test_what_is_to_be_known_of_a_dataset_and_of_a_model_is_in_the_rows(bench):
    bench.add(FAST, samples(0.5), notes=["denormal numbers: 3.0% of a.weight"])
    rows = bench.rows(notes=["40 of 40 test images are in train, too"])
    assert rows[FAST].notes == "denormal numbers: 3.0% of a.weight; 40 of 40 test images are in train, too"
    assert rows[BASELINE].notes == "40 of 40 test images are in train, too"


def test_what_is_to_be_known_is_a_warning_with_a_remedy_once_for_each_model(bench):
    for runtime in ("onnxruntime", "openvino"):
        bench.add(f"prune50/fp32/{runtime}", samples(0.5), notes=["denormal numbers: 3.0% of a.weight"])
    same = {"name": "same images", "text": "1 of 2 test images", "remedy": "remove it"}
    family = FamilyBenchmark("cnn", "cpu1", None, bench.artifacts, None, "digest", [same])
    first, second = family.warnings
    assert first == same
    assert (second["name"], second["text"]) == ("denormal numbers", "prune50: 3.0% of a.weight")
    assert "set_flush_denormal" in second["remedy"]
