"""Services of fake artifacts, behind a real server on a free port of this machine."""

import contextlib
import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fakes
import httpx2
import numpy as np
import uvicorn
from prometheus_client.parser import text_string_to_metric_families

from breakeven.artifacts import artifact
from breakeven.artifacts.model_manifest import ImageInput
from breakeven.core.ports import free_port
from breakeven.serving.app import create_app
from breakeven.serving.served_model import ServedModel
from breakeven.serving.service import Service
from breakeven.serving.settings import ServiceSettings

SHAPE = ImageInput(1, 8, 8, 10)
CLASSES = [f"class {number}" for number in range(10)]


def served_model(folder: Path, **runtime: Any) -> ServedModel:
    """A fake variant, whose runtime has these settings, with a healthy fallback."""
    variant = fakes.write(folder / "variant", "flaky", **runtime)
    eager = fakes.write(folder / "eager", "flaky")
    manifest = artifact.read(variant)
    return ServedModel("fake", variant, manifest, eager, CLASSES, SHAPE, fakes.IMAGES[:1])


@contextlib.contextmanager
def serving(model: ServedModel, settings: ServiceSettings | None = None) -> Iterator[httpx2.Client]:
    """A client of a service of this model."""
    service = Service(model, settings or ServiceSettings())
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(create_app(service), port=port, log_level="error", access_log=False)
    )
    thread = threading.Thread(target=server.run)
    try:
        service.start()
        thread.start()
        while not server.started:
            time.sleep(0.01)
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        if thread.is_alive():
            thread.join()
        service.stop()


def npy(array: Any) -> bytes:
    """An array as `numpy.save` writes it."""
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def figures(client: httpx2.Client) -> dict[str, float]:
    """The counters of a service, as Prometheus reads them: "name{label}" -> value."""
    found = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found
