"""Load goes to this machine only, unless the user says otherwise; a wrong address or file is one sentence."""

import socket
from pathlib import Path

import pytest

from breakeven.core.errors import UserError
from breakeven.serving.load import address, bodies

ANY_PORT = 8  # where nothing listens, since only root may


def resolver(*addresses: str):
    return lambda host, port, **_: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in addresses
    ]


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_this_machine_is_found_by_its_names(port: int, host: str) -> None:
    if host == "127.0.0.2":
        with pytest.raises(UserError, match="no service listens there"):
            address.find(f"http://{host}:{port}", anywhere=False)
        return
    found = address.find(f"http://{host}:{port}/a b?c=d#e", anywhere=False)
    assert (found.ip, found.port, found.host) == ("127.0.0.1", port, f"{host}:{port}")
    assert found.path == "/a%20b?c=d"


@pytest.mark.parametrize("ips", [("192.0.2.1",), ("127.0.0.1", "192.0.2.1"), ("2001:db8::1",), ("0.0.0.0",)])
def test_another_machine_is_refused_by_its_address_not_its_name(
    ips: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver(*ips))
    with pytest.raises(UserError) as refused:
        address.find("http://service.example/predict", anywhere=False)
    said = str(refused.value)
    assert said.startswith("http://service.example/predict: service.example is not this machine (")
    assert "--anywhere" in said and ips[-1] in said


def test_another_machine_is_allowed_if_the_user_says_so(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "_is_loopback", lambda ip: False)
    with pytest.raises(UserError, match="is not this machine"):
        address.find(f"http://127.0.0.1:{port}", anywhere=False)
    assert address.find(f"http://127.0.0.1:{port}", anywhere=True).port == port


def test_the_first_address_that_answers_is_taken(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "_resolve", lambda *_: ["127.0.0.3", "127.0.0.1"])
    assert address.find(f"http://localhost:{port}", anywhere=False).ip == "127.0.0.1"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("127.0.0.1:8000", "is no address that starts with http://"),
        ("https://127.0.0.1", "https is not supported"),
        ("http:///predict", "is no address that starts with http:// and a host"),
        ("http://127.0.0.1:port", "is no address ("),
        ("http://127.0.0.1:99999", "is no address ("),
        ("http://[::1", "is no address ("),
        ("http://me:secret@127.0.0.1", "leave out the user's name and password"),
        ("http://loc\x00alhost", "its host has characters"),
        (f"http://127.0.0.1:{ANY_PORT}", "no service listens there (127.0.0.1: "),
    ],
)
def test_a_wrong_address_is_one_sentence(url: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        address.find(url, anywhere=False)
    assert said in str(refused.value) and "secret" not in str(refused.value)
    assert str(refused.value).endswith((".", "predict."))


def test_an_unknown_host_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(UserError, match="the host nowhere is unknown"):
        address.find("http://nowhere/", anywhere=True)


TARGET = address.Address("http://localhost:80/x", "127.0.0.1", 80, "localhost:80", "/x?y=1")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.png", "image/png"),
        ("a.JPG", "image/jpeg"),
        ("a.npy", "application/octet-stream"),
        ("a.json", "application/json"),
    ],
)
def test_the_suffix_says_what_a_file_holds(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(b"\x00body\r\n")
    (made,) = bodies.requests(TARGET, [tmp_path / name])
    head, _, body = made.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[:2] == ["POST /x?y=1 HTTP/1.1", "Host: localhost:80"] and body == b"\x00body\r\n"
    assert f"Content-Type: {kind}" in lines and "Content-Length: 7" in lines


def test_without_files_there_is_one_get() -> None:
    (made,) = bodies.requests(TARGET, [])
    assert made.startswith(b"GET /x?y=1 HTTP/1.1\r\n") and made.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("name", "said"),
    [("a.txt", "its suffix does not say"), ("none.png", "No such file"), (".", "its suffix does not say")],
)
def test_a_file_that_cannot_be_sent_is_one_sentence(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(UserError, match=said):
        bodies.requests(TARGET, [tmp_path / name])
