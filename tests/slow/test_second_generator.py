"""MLPerf's LoadGen, a second generator of load, measures the same latencies of the same service."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fake_service import running
from known_queue import calm_run, typical

from breakeven.serving.load import LoadSettings

pytest.importorskip("mlperf_loadgen", reason="the package mlcommons-loadgen is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LOADGEN = Path(__file__).parents[1] / "support/mlperf_generator.py"
SERVICE_MS, SECONDS, TOLERANCE = 50.0, 60.0, 0.05


@pytest.mark.parametrize("load_share", [0.1, 0.2])
def test_two_generators_measure_the_same_latencies(load_share: float) -> None:
    """The arrivals are random in both, and few of them meet: two samples of them wait about as long."""
    rate = load_share / (SERVICE_MS / 1e3)
    with running(SERVICE_MS) as url:
        settings = LoadSettings(url, rate=rate, seconds=SECONDS, max_lateness_ms=5.0)
        ours = calm_run(typical(settings, load_share, SERVICE_MS)).latency
        command = [sys.executable, str(LOADGEN), url, str(rate), str(SECONDS)]
        theirs = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert ours
    print(f"load {load_share}: ours {ours.mean:.2f} ms (mean), {ours.p50:.2f} ms (p50); LoadGen {theirs}")
    assert ours.mean == pytest.approx(theirs["mean"], rel=TOLERANCE)
    assert ours.p50 == pytest.approx(theirs["p50"], rel=TOLERANCE)
