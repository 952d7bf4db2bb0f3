"""The service as a program says who answers before it takes requests."""

import logging
import signal
from pathlib import Path

import pytest
import uvicorn
from served import served_model

from breakeven.core.ports import free_port
from breakeven.serving import run
from breakeven.serving.service import Service
from breakeven.serving.settings import ServiceSettings


class OneFails(Service):
    """A service in which one process of the variant has failed."""

    @property
    def reasons(self) -> list[str]:
        return ["it died"]


def said(service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    monkeypatch.setattr(uvicorn, "run", lambda *_, **__: None)
    monkeypatch.setattr(logging.getLogger("breakeven.access"), "handlers", [])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert run.run(service, "127.0.0.1", free_port()) == 0
    return capsys.readouterr().err.splitlines()


def test_the_variant_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = said(Service(served_model(tmp_path), ServiceSettings()), monkeypatch, capsys)
    assert line.startswith("none/fp32/flaky answers: http://127.0.0.1:")


def test_eager_answers_where_the_variant_cannot_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = Service(served_model(tmp_path, pause_s="much"), ServiceSettings())
    *reasons, last = said(service, monkeypatch, capsys)
    assert reasons[0].startswith("breakeven: none/fp32/flaky fails, and eager answers: ")
    assert last.startswith("eager answers: http://127.0.0.1:")


def test_both_may_answer_where_one_of_two_processes_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = OneFails(served_model(tmp_path), ServiceSettings(workers=2))
    assert said(service, monkeypatch, capsys)[-1].startswith("none/fp32/flaky or eager answers: http://")
