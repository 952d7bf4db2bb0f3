"""A variant stops racing only if another one is surely faster, and no worse otherwise."""

import numpy as np
import pytest

from breakeven.engine.racing import dominated

FEWEST = 5


def levels(**ms: float) -> dict[str, np.ndarray]:
    """Log times of as few replicates as are looked at, with an error of 1%."""
    draw = np.random.default_rng(0)
    return {name: np.log(each) + draw.normal(0, 0.01, FEWEST) for name, each in ms.items()}


# Accuracies count as costs with a minus sign
@pytest.mark.parametrize(
    ("costs", "stopped"),
    [
        ({"fast": (-0.97, 11.0), "slow": (-0.97, 11.0)}, {"slow": "fast"}),
        ({"fast": (-0.98, 4.0), "slow": (-0.97, 11.0)}, {"slow": "fast"}),
        ({"fast": (-0.96, 4.0), "slow": (-0.97, 11.0)}, {}),
        ({"fast": (-0.97, 11.0), "slow": (-0.97, 4.0)}, {}),
    ],
)
def test_who_is_worse_in_nothing_ends_who_is_slower(
    costs: dict[str, tuple[float, float]], stopped: dict[str, str]
) -> None:
    assert dominated(levels(fast=1.0, slow=2.0), costs) == stopped


def test_a_small_lead_ends_nobody() -> None:
    assert dominated(levels(fast=1.0, slow=1.04), dict.fromkeys(("fast", "slow"), (0.1, 1.0))) == {}


def test_noise_ends_nobody_in_99_of_100_looks() -> None:
    names, ended = [f"{number}" for number in range(12)], 0
    for seed in range(200):
        draw = np.random.default_rng(seed)
        same = {name: draw.normal(0, 0.05, FEWEST) for name in names}
        ended += bool(dominated(same, dict.fromkeys(names, (0.1, 1.0))))
    assert ended <= 6
