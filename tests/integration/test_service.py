"""A service answers over HTTP, by eager where the variant fails, and counts everything."""

import io
import json
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fakes
import httpx2
import numpy as np
import psutil
import pytest
from PIL import Image
from served import CLASSES, figures, npy, served_model, serving

from breakeven.artifacts import artifact
from breakeven.serving.app import ARRAY, ARTIFACT, FALLBACK
from breakeven.serving.settings import Limits, ServiceSettings

EXPECTED = fakes.logits((fakes.IMAGES.astype(np.float32) / 255 - 0.5) / 0.5)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    settings = ServiceSettings(limits=Limits(body_s=1.0, body_bytes=2**20))
    with serving(served_model(tmp_path_factory.mktemp("served")), settings) as client:
        yield client


def picture(number: int = 0) -> bytes:
    file = io.BytesIO()
    Image.fromarray(fakes.IMAGES[number, 0]).save(file, "PNG")
    return file.getvalue()


def test_an_image_a_form_an_array_and_json_get_the_same_answer(client: httpx2.Client) -> None:
    answers = [
        client.post("/predict", content=picture()),
        client.post("/predict", files={"file": ("x.png", picture(), "image/png")}),
        client.post("/predict", content=npy(fakes.IMAGES[:1])),
        client.post("/predict", json={"inputs": fakes.IMAGES[:1].tolist()}),
    ]
    first = answers[0].json()
    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(answer.json() == first for answer in answers)
    (best, *_) = first["predictions"][0]
    assert best["class"] == CLASSES[int(EXPECTED[0].argmax())]
    assert first["answered_by"] == "none/fp32/flaky"
    assert answers[0].headers[ARTIFACT] == first["sha256"] and FALLBACK not in answers[0].headers


def test_several_samples_get_an_answer_each_also_as_an_array(client: httpx2.Client) -> None:
    told = client.post("/predict", content=npy(fakes.IMAGES)).json()["predictions"]
    assert [one[0]["index"] for one in told] == EXPECTED.argmax(axis=1).tolist()
    answer = client.post("/predict", content=npy(fakes.IMAGES), headers={"accept": ARRAY})
    assert np.allclose(np.load(io.BytesIO(answer.content)), EXPECTED, rtol=1e-4)


def test_operators_pages(client: httpx2.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok", "answers": "none/fp32/flaky"}
    assert "swagger-ui" in client.get("/docs").text
    assert client.get("/assets/swagger-ui-bundle.js").status_code == 200
    assert "multipart/form-data" in str(client.get("/openapi.json").json()["paths"]["/predict"])


def test_every_count_is_exact(tmp_path: Path) -> None:
    with serving(served_model(tmp_path), ServiceSettings(max_batch=4, max_wait_ms=20)) as client:
        for _ in range(3):
            assert client.post("/predict", content=npy(fakes.IMAGES[:2])).status_code == 200
        assert client.post("/predict", content=b"?").status_code == 422
        assert client.get("/nothing/here").status_code == 404
        found = figures(client)
    assert found["breakeven_requests_total{/predict,200}"] == 3
    assert found["breakeven_requests_total{/predict,422}"] == 1
    assert found["breakeven_requests_total{other,404}"] == 1
    assert found["breakeven_request_seconds_count"] == 4
    assert found["breakeven_call_seconds_count"] == found["breakeven_batch_size_count"] == 3
    assert found["breakeven_batch_size_sum"] == 6 and found["breakeven_queue"] == 0
    assert sum(value for name, value in found.items() if name.startswith("breakeven_fallbacks_total")) == 0
    assert {f"breakeven_resident_bytes{{{name}}}" for name in ("service", "eager", "variant-0")} <= {*found}


def test_requests_at_the_same_time_share_a_call(tmp_path: Path) -> None:
    settings = ServiceSettings(max_batch=8, max_wait_ms=200)
    with serving(served_model(tmp_path, pause_s=0.05), settings) as client:
        with ThreadPoolExecutor(8) as threads:
            answers = [
                *threads.map(lambda number: client.post("/predict", content=picture(number % 4)), range(16))
            ]
        found = figures(client)
    best = [answer.json()["predictions"][0][0]["index"] for answer in answers]
    assert best == [int(EXPECTED[number % 4].argmax()) for number in range(16)]
    assert found["breakeven_batch_size_count"] < 16 and found["breakeven_batch_size_sum"] == 16


def test_a_damaged_artifact_is_never_asked_and_readyz_says_so(tmp_path: Path) -> None:
    model = served_model(tmp_path)
    (model.folder / "weights.bin").write_bytes(b"sound")
    artifact.save(model.folder, artifact.seal(model.folder, model.manifest))
    (model.folder / "weights.bin").write_bytes(b"other")
    with serving(model) as client:
        ready = client.get("/readyz").json()
        answer = client.post("/predict", content=picture())
        found = figures(client)
    assert ready["status"] == "eager answers" and "weights.bin" in ready["reasons"][0]
    assert answer.status_code == 200 and answer.headers[FALLBACK] == "not-loaded"
    assert answer.json()["answered_by"] == "none/fp32/eager"
    assert found["breakeven_fallbacks_total{not-loaded}"] == 1


def test_a_full_queue_is_told_to_come_again(tmp_path: Path) -> None:
    with (
        serving(served_model(tmp_path, pause_s=0.3), ServiceSettings(queue=1)) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        answers = [*threads.map(lambda _: client.post("/predict", content=picture()), range(8))]
    statuses = Counter(answer.status_code for answer in answers)
    assert {*statuses} == {200, 503} and statuses[503] >= 1
    assert next(a for a in answers if a.status_code == 503).headers["retry-after"] == "1"


CAUSES = {"error": "raised", "nan": "not-finite", "hang": "hung", "killed": "died"}


@pytest.mark.parametrize("fault", CAUSES)
def test_eager_answers_the_same_request_and_the_cause_is_told(fault: str, tmp_path: Path) -> None:
    model = served_model(tmp_path, share=1.0, faults=[fault])
    with serving(model, ServiceSettings(time_limit_s=0.2)) as client:
        answer = client.post("/predict", content=picture())
        assert (answer.status_code, answer.headers[FALLBACK]) == (200, CAUSES[fault])
        assert answer.json()["predictions"][0][0]["index"] == EXPECTED[0].argmax()
        assert figures(client)[f"breakeven_fallbacks_total{{{CAUSES[fault]}}}"] == 1


def test_a_variant_that_is_left_alone_is_told_by_readyz(tmp_path: Path) -> None:
    model = served_model(tmp_path, share=1.0, faults=["error"])
    with serving(model, ServiceSettings(failures=2)) as client:
        causes = [client.post("/predict", content=picture()).headers[FALLBACK] for _ in range(3)]
        ready = client.get("/readyz").json()
    assert causes == ["raised", "raised", "paused"]
    assert ready["status"] == "eager answers" and "no such kernel" in ready["reasons"][0]


def test_a_request_of_many_samples_is_answered_in_calls_of_few(tmp_path: Path) -> None:
    with serving(served_model(tmp_path), ServiceSettings(max_batch=3)) as client:
        told = client.post("/predict", content=npy(fakes.IMAGES.repeat(4, axis=0))).json()["predictions"]
        found = figures(client)
    assert [one[0]["index"] for one in told] == EXPECTED.argmax(axis=1).repeat(4).tolist()
    assert found["breakeven_batch_size_count"] == 6 and found["breakeven_batch_size_sum"] == 16


def test_no_request_is_lost_whatever_the_variant_does(tmp_path: Path) -> None:
    """Exceptions, NaN, hangs and deaths in a tenth of its calls, and a kill from outside."""
    requests = 1000
    settings = ServiceSettings(time_limit_s=0.2, failures=3, retry_s=0.2)
    faults = [*10 * ["error", "nan"], "hang", "killed"]  # after these two a process has to start
    with serving(served_model(tmp_path, share=0.1, faults=faults), settings) as client:

        def ask(number: int) -> httpx2.Response:
            if number in (300, 600):
                _kill_a_process(number // 600)
            time.sleep(0.01)
            return client.post("/predict", content=npy(fakes.IMAGES[number % 4][None]))

        with ThreadPoolExecutor(4) as threads:
            answers = [*threads.map(ask, range(requests))]
        found = figures(client)
    assert Counter(answer.status_code for answer in answers) == {200: requests}
    best = [answer.json()["predictions"][0][0]["index"] for answer in answers]
    assert best == [int(EXPECTED[number % 4].argmax()) for number in range(requests)]
    causes = Counter(answer.headers.get(FALLBACK) for answer in answers)
    del causes[None]
    counted = {
        name.removeprefix("breakeven_fallbacks_total{").rstrip("}"): int(value)
        for name, value in found.items()
        if name.startswith("breakeven_fallbacks_total") and value
    }
    assert counted == dict(causes)
    assert {"raised", "not-finite"} <= {*causes} and sum(causes.values()) < requests, causes
    assert found["breakeven_requests_total{/predict,200}"] == requests


def _kill_a_process(number: int) -> None:
    """End the variant's process, or eager's, from outside."""
    alive = [each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE]
    own = [process for process in alive if "spawn_main" in _command(process)]
    own[number % len(own)].kill()


def _command(process: psutil.Process) -> str:
    """Return the command of a process, "" if it ended meanwhile: a fault may kill it at any time."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # a zombie is one of these
        return ""


def hostile(seed: int) -> tuple[bytes, dict[str, str]]:
    """A body that no client of good will sends, and its headers."""
    chance = random.Random(seed)
    noise = chance.randbytes(chance.choice([0, 1, 10, 1000, 100_000]))
    body = chance.choice(
        [
            noise,
            picture()[: chance.randrange(60)] + noise,
            npy(fakes.IMAGES)[: chance.randrange(200)] + noise,
            npy(np.zeros(tuple(chance.randrange(5) for _ in range(chance.randrange(6))))),
            npy(np.full((1, 1, 8, 8), chance.choice([np.nan, np.inf, -1, 300, 0.5]))),
            json.dumps({"inputs": chance.choice([None, [], "x", [[[]]], {"a": 1}, 10**400])}).encode(),
            b"[" * chance.randrange(100_000),
            b"\x00" * chance.choice([10, 2**20, 2**20 + 1, 2**21]),
        ]
    )
    headers = chance.choice(
        [
            {},
            {"content-type": "multipart/form-data; boundary=x"},
            {"content-type": "multipart/form-data"},
            {"content-type": "image/png"},
            {"accept": ARRAY},
            {"x-large": "y" * chance.choice([10, 10_000, 60_000])},
            {"content-type": "\x7f odd"},
        ]
    )
    return body, headers


def test_a_hundred_hostile_requests_are_refused_and_the_service_lives(client: httpx2.Client) -> None:
    before = figures(client)["breakeven_resident_bytes{service}"]
    for seed in range(100):
        body, headers = hostile(seed)
        answer = client.post("/predict", content=body, headers=headers)
        assert 200 <= answer.status_code < 500, (seed, answer.status_code, answer.text)
        if answer.status_code in (413, 415, 422):
            assert answer.json()["error"].endswith("."), answer.text
    after = figures(client)["breakeven_resident_bytes{service}"]
    assert after - before < 100e6
    assert client.post("/predict", content=picture()).status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for(client: httpx2.Client) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=10) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome")
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
