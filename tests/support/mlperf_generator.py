"""MLPerf's LoadGen sends requests to a URL at random times: `python mlperf_generator.py URL RATE SECONDS`.

LoadGen decides when each request is sent, and counts its latency from that time. It knows no HTTP: threads of
this program send its requests. It prints LoadGen's figures as JSON, in milliseconds, and the times at which
LoadGen had the requests sent, in seconds.
"""

import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from threading import local
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import mlperf_loadgen as loadgen

CONNECTIONS = 50
FIGURES = {"mean": "result_mean_latency_ns", "p50": "result_50.00_percentile_latency_ns"}
FIGURES |= {"p99": "result_99.00_percentile_latency_ns"}


def figures(url: str, rate: float, seconds: float) -> dict[str, Any]:
    """Send requests for some seconds, and return the latencies that LoadGen reports."""
    address, own = urlsplit(url), local()
    sent_s: list[float] = []

    def send(number: int) -> None:
        if not hasattr(own, "connection"):
            own.connection = HTTPConnection(address.netloc)
        own.connection.request("GET", address.path or "/")
        own.connection.getresponse().read()
        loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(number, 0, 0)])

    def issue(queries: list[Any]) -> None:
        for query in queries:
            sent_s.append(perf_counter())
            threads.submit(send, query.id)

    settings = loadgen.TestSettings()
    settings.scenario, settings.mode = loadgen.TestScenario.Server, loadgen.TestMode.PerformanceOnly
    settings.server_target_qps = rate
    settings.server_target_latency_ns = 10**10
    settings.min_query_count = settings.max_query_count = round(rate * seconds)
    with ThreadPoolExecutor(CONNECTIONS) as threads, tempfile.TemporaryDirectory() as folder:
        sut = loadgen.ConstructSUT(issue, lambda: None)
        samples = loadgen.ConstructQSL(1, 1, lambda _: None, lambda _: None)
        log = loadgen.LogSettings()
        log.log_output.outdir = folder
        loadgen.StartTestWithLogSettings(sut, samples, settings, log)
        loadgen.DestroyQSL(samples)
        loadgen.DestroySUT(sut)
        logged = _logged(Path(folder, "mlperf_log_detail.txt").read_text())
    return {**logged, "sent_s": sent_s}


def _logged(text: str) -> dict[str, float]:
    values = {}
    for line in text.splitlines():
        entry = json.loads(line.partition(":::MLLOG ")[2])
        values[entry["key"]] = entry["value"]
    return {name: values[key] / 1e6 for name, key in FIGURES.items()}


if __name__ == "__main__":
    print(json.dumps(figures(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))))
