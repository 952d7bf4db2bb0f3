"""The figures of a service that Prometheus scrapes."""

from collections.abc import Callable, Mapping

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

# Seconds: a small model answers in a fraction of a millisecond
BUCKETS = (
    *(0.0001, 0.0002, 0.0003, 0.0005, 0.0007, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.007),
    *(0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
)
SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counters, gauges and histograms, in a registry of their own."""

    def __init__(self, processes: Callable[[], Mapping[str, int]]) -> None:
        """Create all figures.

        Args:
            processes: returns name -> process id of each process of the service.
        """
        self.registry = CollectorRegistry()
        own = self.registry
        self.requests = Counter("breakeven_requests", "Requests.", ("path", "status"), registry=own)
        self.seconds = Histogram("breakeven_request_seconds", "To the answer.", buckets=BUCKETS, registry=own)
        self.decoding = Histogram("breakeven_decode_seconds", "Of the body.", buckets=BUCKETS, registry=own)
        self.calls = Histogram("breakeven_call_seconds", "Of the model.", buckets=BUCKETS, registry=own)
        self.fallbacks = Counter("breakeven_fallbacks", "Answered by eager.", ("cause",), registry=own)
        self.queue = Gauge("breakeven_queue", "Requests that wait for the model.", registry=own)
        self.batches = Histogram("breakeven_batch_size", "Samples in a call.", buckets=SIZES, registry=own)
        self.registry.register(_Resident(processes))

    def text(self) -> bytes:
        """Return all figures as Prometheus reads them."""
        return generate_latest(self.registry)


class _Resident(Collector):
    """The resident memory of each process, looked up when it is asked for."""

    def __init__(self, processes: Callable[[], Mapping[str, int]]) -> None:
        self._processes = processes

    def collect(self) -> list[GaugeMetricFamily]:
        """Return one figure a process."""
        family = GaugeMetricFamily(
            "breakeven_resident_bytes", "Resident memory of each process.", labels=["process"]
        )
        for name, pid in self._processes().items():
            try:
                family.add_metric([name], psutil.Process(pid).memory_info().rss)
            except psutil.Error:
                continue  # it has just ended
        return [family]
