"""MLPerf's LoadGen, a second generator of load, measures the same latencies of the same service."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fake_service import running
from known_queue import calm_run, lindley_ms, waits_of

from breakeven.serving.load import LoadSettings

pytest.importorskip("mlperf_loadgen", reason="the package mlcommons-loadgen is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LOADGEN = Path(__file__).parents[1] / "support/mlperf_generator.py"
SERVICE_MS, RATE, SECONDS = 100.0, 3.0, 60.0
TOLERANCE = 0.05


def test_two_generators_measure_the_same_latencies() -> None:
    """Each chooses random arrivals of its own: its mean is compared with that of its arrivals' queue."""
    with running(SERVICE_MS) as url:
        settings = LoadSettings(url, rate=RATE, seconds=SECONDS, max_lateness_ms=5.0)
        ours = calm_run(settings).latency
        command = [sys.executable, str(LOADGEN), url, str(RATE), str(SECONDS)]
        theirs = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert ours
    our_queue = SERVICE_MS + waits_of(settings, SERVICE_MS).mean()
    their_queue = SERVICE_MS + lindley_ms(np.array(theirs["sent_s"]), SERVICE_MS).mean()
    print(
        f"ours: mean {ours.mean:.2f} ms of {our_queue:.2f} ms in the queue, p50 {ours.p50:.2f} ms; LoadGen: "
        f"mean {theirs['mean']:.2f} ms of {their_queue:.2f} ms, p50 {theirs['p50']:.2f} ms"
    )
    assert ours.mean / our_queue == pytest.approx(theirs["mean"] / their_queue, rel=TOLERANCE)
    assert ours.p50 == pytest.approx(theirs["p50"], rel=TOLERANCE)
