"""The worst score that the limits allow, in the unit and the direction of the score."""

import pytest
from rows import BASELINE, row

from breakeven.results.limits import Limits

ERROR = {"score": 0.2, "metric": "error", "metric_better": "lower"}


@pytest.mark.parametrize(
    ("more", "limits", "worst"),
    [
        ({}, Limits(max_accuracy_drop=2), 0.88),
        (ERROR, Limits(max_accuracy_drop=2), 0.22),
        ({**ERROR, "score": 4.0, "metric_unit": "eur"}, Limits(max_score_loss=0.5), 4.5),
        ({}, Limits(max_score_loss=0.5), None),
        ({}, Limits(max_size_mb=1), None),
    ],
)
def test_the_worst_score_lies_on_the_bad_side_of_the_baseline(
    more: dict[str, object], limits: Limits, worst: float | None
) -> None:
    rows = [row("none/fp32/a", score=0.1), row("none/fp32/eager", "baseline", **more)]
    assert limits.worst_score(rows) == (None if worst is None else pytest.approx(worst))


def test_without_a_baseline_no_score_is_the_worst() -> None:
    assert Limits(max_accuracy_drop=2).worst_score([row("none/fp32/a")]) is None
    assert Limits().worst_score([BASELINE]) is None
