"""Two services take load in turn: the faster variant is faster there, too, and by less."""

import os
from pathlib import Path

import fakes
import pytest
from served import SHAPE, served_model

from breakeven.results import served as records
from breakeven.results.served import ServedRecord
from breakeven.serving.capacity import bodies, findings
from breakeven.serving.capacity.measure import Plan, measure
from breakeven.serving.decoding import samples_of
from breakeven.serving.settings import Limits, ServiceSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
SLOW_S, FAST_S = 0.02, 0.002  # of a call


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> ServedRecord:
    folder, cores = tmp_path_factory.mktemp("served"), sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("a service and its load need a core each")
    models = {
        "slow": served_model(folder / "slow", pause_s=SLOW_S),
        "fast": served_model(folder / "fast", pause_s=FAST_S),
    }
    offline = {"slow": 1e3 * SLOW_S, "fast": 1e3 * FAST_S}
    plan = Plan(seconds=0.5, requests=20, rounds=2, replicates=3, limit_ms=60.0)
    limit_ms, rows = measure(models, offline, fakes.IMAGES, ServiceSettings(), plan, (cores[:1], cores[-1]))
    return ServedRecord("fake", "cpu1", "a machine", limit_ms, plan.seconds, rows)


def test_the_served_speedup_is_less_than_the_offline_one(record: ServedRecord) -> None:
    slow, fast = record.rows
    assert 1.2 < findings.speedup(slow, fast).value < SLOW_S / FAST_S
    assert fast.capacity_per_s and slow.capacity_per_s and fast.capacity_per_s > slow.capacity_per_s
    assert slow.capacity_per_s < 1 / SLOW_S


def test_the_parts_of_a_request_are_told(record: ServedRecord) -> None:
    for row in record.rows:
        assert [*row.parts_ms] == [*findings.PARTS]
        assert row.parts_ms["model"] == pytest.approx(row.offline_p50_ms) and row.parts_ms["decoding"] > 0
        assert sum(row.parts_ms.values()) > row.offline_p50_ms


def test_what_was_found_is_kept_and_said(record: ServedRecord, tmp_path: Path) -> None:
    record.write(tmp_path / "served.json")
    assert records.read(tmp_path / "served.json") == record
    said = " ".join(findings.sentences(record))
    assert "Offline, the model alone is 10.00x as fast" in said and "times as many requests a second" in said
    (chart,) = findings.section(record).charts
    assert (
        len(chart.data) == 2 * len(findings.PARTS)
        and chart.spec["layer" if "layer" in chart.spec else "mark"]
    )


def test_images_are_sent_as_files_that_the_service_reads(tmp_path: Path) -> None:
    files = bodies.write(fakes.IMAGES[:2], SHAPE, tmp_path)
    assert [file.suffix for file in files] == [".png", ".png"]
    for file, image in zip(files, fakes.IMAGES, strict=False):
        assert (samples_of(file.read_bytes(), SHAPE, Limits())[0] == image).all()
