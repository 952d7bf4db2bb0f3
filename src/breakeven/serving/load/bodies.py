"""The requests as they go over the wire, made before the first one is sent."""

from collections.abc import Sequence
from pathlib import Path

from breakeven.core.errors import UserError
from breakeven.serving.load.address import Address

CONTENT_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".npy": "application/octet-stream",
    ".json": "application/json",
}


def requests(address: Address, files: Sequence[Path]) -> list[bytes]:
    """Return the bytes of a POST for each file; without files, of one GET.

    Raises:
        UserError: a file cannot be read, or its suffix does not say what it holds.
    """
    if not files:
        return [_head("GET", address) + b"\r\n"]
    return [_post(address, file) for file in files]


def _post(address: Address, file: Path) -> bytes:
    kind = CONTENT_TYPES.get(file.suffix.lower())
    if kind is None:
        known = ", ".join(CONTENT_TYPES)
        raise UserError(f"--file {file}: its suffix does not say what it holds: give it one of {known}.")
    try:
        body = file.read_bytes()
    except OSError as error:
        raise UserError(f"--file {file}: cannot be read ({error.strerror}): name a file.") from None
    fields = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return _head("POST", address) + fields.encode("ascii") + body


def _head(method: str, address: Address) -> bytes:
    """Return the first lines of a request."""
    line = f"{method} {address.path} HTTP/1.1\r\nHost: {address.host}\r\nAccept: */*\r\n"
    return (line + "User-Agent: breakeven-load-test\r\n").encode("ascii")
