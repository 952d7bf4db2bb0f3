"""Prometheus itself scrapes a service, where it is installed (Debian's package `prometheus`)."""

import json
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import fakes
import pytest
from served import npy, served_model, serving

from breakeven.core.ports import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed"),
]
REQUESTS, WAIT_S = 7, 60


def test_prometheus_scrapes_every_count(tmp_path: Path) -> None:
    port = free_port()
    with serving(served_model(tmp_path)) as client:
        for _ in range(REQUESTS):
            assert client.post("/predict", content=npy(fakes.IMAGES)).status_code == 200
        target = f"{client.base_url.host}:{client.base_url.port}"
        config = tmp_path / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s}\n"
            f"scrape_configs: [{{job_name: breakeven, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        scraper = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            answered = 'breakeven_requests_total{path="/predict",status="200"}'
            assert _value(port, answered) == REQUESTS
            assert _value(port, "breakeven_batch_size_sum") == REQUESTS * len(fakes.IMAGES)
            assert _value(port, "breakeven_request_seconds_count") == REQUESTS
        finally:
            scraper.terminate()
            scraper.wait()


def _value(port: int, query: str) -> float:
    """What Prometheus has of a figure, when it has it."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={quote(query)}") as answer:
                if found := json.load(answer)["data"]["result"]:
                    return float(found[0]["value"][1])
        except OSError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"{query} was not scraped")
