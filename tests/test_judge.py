"""From samples to verdicts, on samples whose truth is known."""

import json

import numpy as np
import pytest

from breakeven.artifact import SCORES, Artifact
from breakeven.judge import BASELINE, TWIN, Judge
from breakeven.measure.schedule import Block, Replicate, Samples

LABELS = np.arange(100) % 3
JITTER = np.array([-0.002, -0.001, 0.0, 0.001, 0.002])  # of a replicate, on the logarithm; its mean is 0
FAST, OTHER = "none/fp32/torchscript", "none/fp32/onnxruntime"
RIGHT = np.eye(3)[LABELS]  # logits with which every image is right


def samples(factor=1.0, jitter=JITTER, drift=(1.0, 1.5, 0.8), first_call_ms=10.0):
    """Replicates of a variant that takes `factor` ms a call, on a machine whose speed drifts."""
    return Samples(
        [
            Replicate(
                load_s=0.1,
                first_call_ms=first_call_ms,
                affinity={},
                peak_memory_mb=5.0,
                blocks=[Block([factor * np.exp(error) * slow] * 3, 1.0, 0, 0.0) for slow in drift],
            )
            for error in jitter
        ]
    )


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
        folder.mkdir()
        if made.status == "ok":
            np.save(folder / SCORES, logits)
        self.artifacts[name] = (folder, made)
        if measured is not None:
            self.measured[name] = measured

    def rows(self, **context):
        self.judge = Judge(
            "cpu1", "a machine", 1, **{"batch_size": 1, "confidence": 0.95, "margin": 0.01, **context}
        )
        return {row.variant: row for row in self.judge.rows(self.artifacts, self.measured, LABELS)}


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
    assert (rows[TWIN].verdict, rows[TWIN].reason) == ("control", "")


def test_a_biased_twin_leaves_every_variant_undecided_with_the_reason(bench):
    bench.add(FAST, samples(0.5))
    bench.add(OTHER, samples(2.0))
    bench.measured[TWIN] = samples(1.05)
    rows = bench.rows()
    assert {rows[name].verdict for name in (FAST, OTHER)} == {"undecided"}
    assert all("the twin's interval excludes 1" in rows[name].reason for name in (FAST, OTHER, TWIN))


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
    bench.add(FAST, Samples(samples(0.5).replicates[:1], "failed", "killed by SIGSEGV"), accuracy=0.9)
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


def test_break_even_is_the_extra_cost_over_the_saving_of_a_call(bench):
    # A constant speed, so that a call of the baseline takes 1 ms and one of the variant 0.5 ms.
    bench.measured[BASELINE] = samples(jitter=0 * JITTER, drift=(1, 1, 1))
    bench.measured[TWIN] = samples(drift=(1, 1, 1))
    bench.add(FAST, samples(0.5, drift=(1, 1, 1), first_call_ms=110.0), build_s=1.0)
    row = bench.rows()[FAST]
    assert float(row.breakeven_calls) == pytest.approx((1000 + 100) / 0.5, abs=1)
    assert float(row.breakeven_calls_low) < float(row.breakeven_calls) < float(row.breakeven_calls_high)


def test_the_accuracy_difference_is_counted_on_the_same_images(bench):
    wrong = RIGHT.copy()
    wrong[:5] = np.eye(3)[(LABELS[:5] + 1) % 3]
    bench.add(FAST, samples(0.5), logits=wrong)
    row = bench.rows()[FAST]
    assert row.accuracy_delta == pytest.approx(-0.05)
    assert row.accuracy_delta_ci_low < -0.05 < row.accuracy_delta_ci_high
    assert row.accuracy_p_value == pytest.approx(2 * 0.5**5)


def test_throughput_counts_the_images_of_a_batch(bench):
    bench.add(FAST, samples(0.5, jitter=0 * JITTER, drift=(1, 1, 1)))
    row = bench.rows(batch_size=8)[FAST]
    assert row.throughput_per_s == pytest.approx(8 / 0.5e-3)
    assert row.scenario == "batch"


def test_a_row_can_be_written_as_json(bench):
    bench.add(FAST, samples(0.5))
    for row in bench.rows().values():
        json.dumps(vars(row), allow_nan=False)
