"""What a person types to serve a variant of a study, and what happens when it is told to end."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np
import pytest
from project import Project
from served import npy

from breakeven.artifacts import dataset
from breakeven.cli import main
from breakeven.core.ports import free_port
from breakeven.serving.service import Service

pytestmark = pytest.mark.timeout(600)
READY_S = 60


@contextmanager
def served(project: Project, *words: str) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    """The command in a process of its own, when requests are answered."""
    port = free_port()
    process = subprocess.Popen(
        ["breakeven", "serve", "cnn", "--port", str(port), *words],
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            deadline = time.monotonic() + READY_S
            while process.poll() is None and not _is_ready(client):
                assert time.monotonic() < deadline, "it does not answer"
                time.sleep(0.1)
            yield process, client
    finally:
        process.kill()
        process.communicate()


def _is_ready(client: httpx2.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def test_a_variant_answers_as_it_was_scored_and_ends_when_it_is_told_to(
    reproduced: tuple[Project, str],
) -> None:
    project, _ = reproduced
    images = dataset.load_split(project.folder / "data/prepared/digits", "test").images[:8]
    (manifest,) = (project.folder / "artifacts/export/cnn").glob("none*fp32*onnxruntime/artifact.json")
    variant = "none/fp32/onnxruntime"
    scored = np.load(manifest.parent / "scores.npy")[:8]
    with served(project, "--variant", variant, "--max-batch", "4") as (process, client):
        answer = client.post("/predict", content=npy(images)).json()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert [one[0]["index"] for one in answer["predictions"]] == scored.argmax(axis=1).tolist()
    assert answer["answered_by"] == variant
    assert answer["sha256"] in json.loads(manifest.read_text())["files"].values()
    assert (
        process.returncode == 0 and f"{variant} answers: http://127.0.0.1:" in err and "Traceback" not in err
    )
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[-1]["path"] == "/predict" and lines[-1]["status"] == 200 and lines[-1]["samples"] == 8


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["serve", "cnnn"], "cnnn: unknown; did you mean 'cnn'?"),
        (["serve", "cnn", "--variant", "none/fp32/onnxruntim"], "did you mean 'none/fp32/onnxruntime'"),
        (["serve", "cnn", "--hardware", "cpu"], "--hardware cpu: "),
        (["serve", "cnn", "--workers", "500"], "cores that this process may use: choose fewer"),
        (
            ["serve", "cnn", "--alias", "none-such"],
            "cnn-cpu1-batch1@none-such is not in the registry",
        ),
    ],
)
def test_a_mistake_gets_one_sentence_before_anything_starts(
    words: list[str],
    said: str,
    reproduced: tuple[Project, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Service, "start", pytest.fail)
    with reproduced[0].entered():
        assert main.main(words) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "70000"], "give a whole number from 1 to 65535"),
        (["--workers", "x"], "a whole number above 0"),
    ],
)
def test_a_number_that_makes_no_sense_is_wrong_usage(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["serve", "cnn", *words])
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_a_port_that_is_taken_is_a_sentence(reproduced: tuple[Project, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = reproduced[0].run("breakeven", "serve", "cnn", "--port", port, check=False)
    assert done.returncode == 1 and f"--port {port}: Address already in use" in done.stderr


@pytest.mark.slow
def test_the_champion_of_the_registry_answers(project: Project, tmp_path: Path) -> None:
    project.run("breakeven", "recommend", "--max-accuracy-drop", "100", "--by-estimate")
    images = dataset.load_split(project.folder / "data/prepared/digits", "test").images[:1]
    with served(project, "--alias", "champion") as (_, client):
        ready = client.get("/readyz").json()
        answer = client.post("/predict", content=npy(images)).json()
    assert ready == {"status": "ok", "answers": answer["answered_by"]}
