"""A service has no more threads than cores, whatever limits them."""

from pathlib import Path

import pytest

from breakeven.core.errors import UserError
from breakeven.core.system_info import cores
from breakeven.serving import usable_cores


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", None),
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("9900000 100000", None),
        ("odd", None),
    ],
)
def test_a_containers_quota_limits_the_cores(quota: str, expected: int | None, tmp_path: Path) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(f"{quota}\n")
    assert usable_cores.usable_cores(file) == (expected or cores())


def test_without_control_groups_the_affinity_counts(tmp_path: Path) -> None:
    assert usable_cores.usable_cores(tmp_path / "missing") == cores()


def test_more_threads_than_cores_are_refused() -> None:
    usable_cores.require_fits(1, 1)
    with pytest.raises(UserError, match=r"--workers 500 x --threads 2 .* choose fewer"):
        usable_cores.require_fits(500, 2)
