"""The fastest variant is among those that may be, and a clear winner stands alone."""

import numpy as np
import pytest

from breakeven.engine.best import compare_with_best


def levels(seed: int, truths: list[float], replicates: int = 6, noise: float = 0.01) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    common = draw.normal(0, 0.05, replicates)  # the speed of the machine
    return {
        f"v{index}": np.log(truth) + common + draw.normal(0, noise, replicates)
        for index, truth in enumerate(truths)
    }


def test_a_clear_winner_is_surely_the_fastest_and_no_other_may_be() -> None:
    found = compare_with_best(levels(0, [1.0, 2.0, 1.5, 4.0]), 0.95)
    assert found["v0"].low > 1
    assert all(found[name].high < 1 for name in ("v1", "v2", "v3"))
    assert found["v0"].value == pytest.approx(1.5, rel=0.03)
    assert found["v1"].value == pytest.approx(0.5, rel=0.03)


@pytest.mark.parametrize("truths", [[1.0] * 5, [1.0, 1.005, 1.01, 1.02, 1.5], [1.0, 1.0, 3.0]])
@pytest.mark.slow
def test_the_truly_fastest_may_be_the_fastest_in_95_of_100_runs(truths: list[float]) -> None:
    kept = [compare_with_best(levels(seed, truths), 0.95)["v0"].high > 1 for seed in range(250)]
    assert np.mean(kept) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 250)


def test_a_variant_that_is_surely_the_fastest_is_it_in_95_of_100_runs() -> None:
    wrong = [
        any(found[name].low > 1 for name in ("v1", "v2", "v3"))
        for found in (compare_with_best(levels(seed, [1.0, 1.001, 1.002, 1.01]), 0.95) for seed in range(200))
    ]
    assert np.mean(wrong) < 0.05 + 3 * np.sqrt(0.95 * 0.05 / 200)


def test_copies_of_the_fastest_may_all_be_it_and_none_is_surely() -> None:
    found = compare_with_best(levels(3, [1.0, 1.0, 1.0, 5.0]), 0.95)
    assert all(found[name].low <= 1 < found[name].high for name in ("v0", "v1", "v2"))


def test_one_variant_has_nothing_to_be_compared_with() -> None:
    assert compare_with_best(levels(0, [1.0]), 0.95) == {}
