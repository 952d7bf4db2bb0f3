"""No credentials stand in what is printed, logged or stored."""

import io
import logging
import sys
import traceback

import pytest

from breakeven.core import secrets
from breakeven.core.secrets import holds_credentials, redact, redact_all, redact_error

SECRETS = ("secret", "s3cr3t", "t0ken", "sec/ret", "ret@")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:secret@127.0.0.1:9", "http://***@127.0.0.1:9"),
        ("at http://me:secret@host/x?a=1, and https://t0ken@github.com/x.git", None),
        (
            "postgresql+psycopg2://me:sec%2Fret@db.lab:5432/mlflow",
            "postgresql+psycopg2://***@db.lab:5432/mlflow",
        ),
        ("Failed to parse: http://me:sec/ret@host:5000", "Failed to parse: http://***@host:5000"),
        ("http://me:a@secret@host", "http://***@host"),
        ("me:secret@server:5000", "***@server:5000"),
        ("s3://AKIA:secret@minio:9000/bucket", "s3://***@minio:9000/bucket"),
        ("https://store/x?sig=s3cr3t&se=2026", "https://store/x?sig=***&se=2026"),
        ("https://b.s3.amazonaws.com/k?X-Amz-Credential=s3cr3t&X-Amz-Signature=s3cr3t", None),
        ("postgresql://db/mlflow?user=me&password=s3cr3t", "postgresql://db/mlflow?user=me&password=***"),
        (
            "connection to host=db user=me password=s3cr3t failed",
            "connection to host=db user=me password=*** failed",
        ),
        ("http://me:it's-secret@host:9", "http://***@host:9"),
        ("the address 'http://me:it's-secret@host', and 'a@b'", "the address 'http://***@host', and 'a@b'"),
        (
            '{"uri":"http://me:a"b<c>secret@host","by":"you@host"}',
            '{"uri":"http://***@host","by":"you@host"}',
        ),
        ("me:it's-secret@server:5000", "***@server:5000"),
        ("https://store/x?token=it's-secret&se=1", "https://store/x?token=***&se=1"),
        ("host=db password=it's-secret failed", "host=db password=*** failed"),
        ("Server=db;Uid=me;Pwd=s3cr3t;", "Server=db;Uid=me;Pwd=***;"),
    ],
)
def test_an_address_is_shown_without_credentials(text: str, shown: str | None) -> None:
    hidden = redact(text)
    assert not any(secret in hidden for secret in SECRETS) and "***" in hidden
    assert shown is None or hidden == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://server:5000/#/experiments/1",
        "models:/breakeven-cnn-cpu1-batch1@champion",
        "families@families.cnn: cnn",
        "family.model.widths={conv@1:16,conv@2:32}",
        "sqlite:////home/me/a@b/mlflow.db",
        "job 1 of 2: done, 3 s; bleed@1:2",
        "git@github.com:me/x.git",
        "{'store': 'http://server:5000', 'by': 'me@host'}",
        "['http://server:5000','http://other:5000'] of me@host",
        "max_tokens=64 monkey=1 num_keys=3",
    ],
)
def test_text_without_credentials_stays_as_it_is(text: str) -> None:
    assert redact(text) == text and not holds_credentials(text)


def test_every_string_in_a_record_is_redacted() -> None:
    record = {
        "reason": "http://me:secret@host",
        "list": ["a", ("http://me:secret@h", 1)],
        "http://me:secret@host": 1.5,
        "none": None,
    }
    assert redact_all(record) == {
        "reason": "http://***@host",
        "list": ["a", ["http://***@h", 1]],
        "http://***@host": 1.5,
        "none": None,
    }


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "MLFLOW_TRACKING_URI",
            "http://me:hidden1/hidden2@host",
            "Port could not be cast to integer value as 'hidden1'",
        ),
        ("MLFLOW_TRACKING_URI", "postgresql://me:hidden%2B1@host/db", "authentication failed for hidden+1"),
        ("MLFLOW_S3_ENDPOINT_URL", "http://me:hidden@minio:9000", "no endpoint: hidden"),
        ("MLFLOW_TRACKING_TOKEN", "hidden-token", "Invalid header value b'Bearer hidden-token'"),
        ("AWS_SECRET_ACCESS_KEY", "hidden/key+1", "the signature of hidden/key+1 is wrong"),
    ],
)
def test_what_a_library_quotes_of_a_secret_is_hidden(
    variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    shown = redact_error(ValueError(message))
    assert "hidden" not in shown and "***" in shown


def test_what_a_program_prints_and_its_traceback_hold_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(sys, "stdout", printed)
    monkeypatch.setattr(sys, "stderr", printed)
    secrets.hide_in_output()
    secrets.hide_in_output()  # a second time changes nothing
    print("at http://me:secret@host")
    sys.stderr.writelines(["at http://me:secret@host\n"])
    handler = logging.StreamHandler()
    handler.emit(logging.LogRecord("x", 40, "x", 1, "http://me:secret@host", None, None))
    try:
        raise ValueError("http://me:secret@host")
    except ValueError:
        traceback.print_exc()
    assert ":secret@" not in printed.getvalue() and printed.getvalue().count("http://***@host") == 5
    assert sys.stdout.getvalue() == printed.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text", ["https://t0ken@host/x", "http://me:secret@host", "s3://a:b@c/x", "https://h/x?X-Amz-Signature=1"]
)
def test_an_address_with_credentials_is_recognized(text: str) -> None:
    assert holds_credentials(text)


@pytest.mark.parametrize("text", ["ssh://git@host/x", "http://host:80/a@b", "a@b", "x?key=1"])
def test_an_address_without_credentials_is_none(text: str) -> None:
    assert not holds_credentials(text)
