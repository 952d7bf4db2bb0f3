"""Any two variants of a cell are compared with each other, as exactly as each is with the baseline."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rows import BASELINE, TWIN, benchmark, row

from breakeven.core.errors import UserError
from breakeven.results import pairs, summary
from breakeven.results.limits import Limits

ONNX, INT8 = row("none/fp32/onnxruntime", speedup=3.0), row("none/int8-static/onnxruntime", speedup=6.0)
FAILED = row("none/fp32/openvino", "failed", latency_ms_p50=None, speedup=None)
ROWS = [BASELINE, TWIN, ONNX, INT8, FAILED]


def against(base: str, rows: list = ROWS) -> dict:
    measured = [benchmark(rows)]
    return {each.variant: each for each in pairs.against(base, measured, summary.rows(measured, Limits()))}


def test_each_variant_has_a_speedup_an_interval_and_a_verdict_over_the_base() -> None:
    found = against(ONNX.variant)
    assert found[INT8.variant].speedup == pytest.approx(2.0)
    assert found[INT8.variant].speedup_ci_low < 2 < found[INT8.variant].speedup_ci_high
    assert found[BASELINE.variant].speedup == pytest.approx(1 / 3)
    verdicts = {name: each.verdict for name, each in found.items()}
    assert verdicts == {
        BASELINE.variant: "slower",
        "twin": "twin",
        ONNX.variant: "baseline",
        INT8.variant: "faster",
        FAILED.variant: "failed",
    }
    assert found[INT8.variant].breakeven_calls is None  # known against the baseline only


def test_two_variants_are_the_inverse_of_each_other() -> None:
    one, other = against(ONNX.variant)[INT8.variant], against(INT8.variant)[ONNX.variant]
    assert one.speedup == pytest.approx(1 / other.speedup)
    # Their common noise counts once, however noisy the baseline is.
    assert np.log(one.speedup_ci_high / one.speedup_ci_low) == pytest.approx(
        np.log(other.speedup_ci_high / other.speedup_ci_low), rel=0.5
    )


def test_the_baseline_as_base_gives_the_rows_back() -> None:
    found = against(BASELINE.variant)
    assert found[ONNX.variant].speedup == pytest.approx(3.0)
    assert {found[name].verdict for name in (ONNX.variant, INT8.variant)} == {"faster"}


def test_an_unreliable_run_has_no_verdicts_over_any_base() -> None:
    rows = [replace(each, unreliable=True, verdict="undecided") for each in (ONNX, INT8)]
    found = against(ONNX.variant, [BASELINE, TWIN, *rows])
    assert found[INT8.variant].verdict == found[BASELINE.variant].verdict == "undecided"


@pytest.mark.parametrize("base", ["none/fp32/onnxrutime", FAILED.variant, "nothing"])
def test_a_base_that_was_not_measured_is_refused_with_those_that_were(base: str) -> None:
    with pytest.raises(UserError, match=r"--against .*none/fp32/onnxruntime"):
        against(base)


def test_the_rows_go_to_a_spreadsheet(tmp_path: Path) -> None:
    summary.write_summary(tmp_path / "rows.csv", list(against(ONNX.variant).values()))
    lines = (tmp_path / "rows.csv").read_text().splitlines()
    found = {each["variant"]: each for each in csv.DictReader(lines)}
    assert float(found[INT8.variant]["speedup"]) == pytest.approx(2.0)
    assert json.loads(found[INT8.variant]["replicates"]) == 5
