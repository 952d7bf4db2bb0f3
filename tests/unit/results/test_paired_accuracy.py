"""Two classifiers on the same images: Tango's interval and McNemar's exact test."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from breakeven.results.paired_accuracy import compare

COUNTS = st.tuples(*[st.integers(0, 60)] * 4).filter(any)  # both right, lost, won, both wrong
CONFIDENCES = st.floats(0.5, 0.999)


def outcomes(both, lost, won, neither):
    """What the baseline and the variant got right."""
    sizes = [both, lost, won, neither]
    return tuple(np.repeat(np.array(right, dtype=bool), sizes) for right in ([1, 1, 0, 0], [1, 0, 1, 0]))


def bounds(difference):
    return difference.low, difference.high


@given(COUNTS)
def test_delta_is_the_variant_s_accuracy_minus_the_baseline_s(counts):
    baseline, variant = outcomes(*counts)
    assert compare(baseline, variant, 0.95).delta == pytest.approx(variant.mean() - baseline.mean())


@given(COUNTS, CONFIDENCES)
def test_the_interval_holds_delta_and_stays_within_minus_1_and_1(counts, confidence):
    found = compare(*outcomes(*counts), confidence)
    assert -1 <= found.low <= found.delta <= found.high <= 1


@given(COUNTS, CONFIDENCES)
def test_exchanging_the_classifiers_mirrors_the_interval(counts, confidence):
    baseline, variant = outcomes(*counts)
    there, back = compare(baseline, variant, confidence), compare(variant, baseline, confidence)
    assert bounds(back) == pytest.approx((-there.high, -there.low), abs=1e-8)


@given(COUNTS)
def test_more_confidence_gives_a_wider_interval(counts):
    narrow, wide = (compare(*outcomes(*counts), confidence) for confidence in (0.8, 0.99))
    assert wide.high - wide.low > narrow.high - narrow.low


@given(COUNTS)
def test_the_p_value_is_the_exact_binomial_test_of_the_disagreements(counts):
    _, lost, won, _ = counts
    expected = stats.binomtest(won, lost + won).pvalue if lost + won else 1.0
    assert compare(*outcomes(*counts), 0.95).p_value == pytest.approx(expected)


def test_360_images_without_a_disagreement_bound_a_drop_only_at_1_percent():
    z = stats.norm.ppf(0.975)
    half = z**2 / (360 + z**2)
    assert bounds(compare(*outcomes(340, 0, 0, 20), 0.95)) == pytest.approx((-half, half), abs=1e-8)


def test_the_interval_agrees_with_a_published_example():
    # Cavo et al., 2012, as evaluated by the R package contingencytables (Fagerlund, Lydersen, Laake, 2017).
    assert bounds(compare(*outcomes(59, 16, 6, 80), 0.95)) == pytest.approx((-0.1240, -0.0054), abs=5.1e-5)


def test_mcnemar_agrees_with_a_published_example():
    # The exact conditional test of Bentur et al., 2009: 1 against 7.
    assert compare(*outcomes(1, 7, 1, 12), 0.95).p_value == pytest.approx(2 * (1 + 8) / 2**8)


def test_the_95_percent_interval_holds_the_true_difference_in_95_percent_of_the_test_sets():
    # 360 images; both right, lost, won, both wrong
    test_sets = np.random.default_rng(1).multinomial(360, [0.9, 0.04, 0.02, 0.04], size=1000)
    found = [compare(*outcomes(*counts), 0.95) for counts in test_sets.tolist()]
    assert 0.93 < np.mean([one.low <= -0.02 <= one.high for one in found]) < 0.97


def test_without_a_true_difference_p_is_below_5_percent_in_at_most_5_percent_of_the_test_sets():
    test_sets = np.random.default_rng(2).multinomial(360, [0.9, 0.03, 0.03, 0.04], size=1000)
    assert np.mean([compare(*outcomes(*counts), 0.95).p_value < 0.05 for counts in test_sets.tolist()]) < 0.05
