"""The service's address: on this machine, unless the user allows others."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from breakeven.core.errors import UserError

EXAMPLE = "http://127.0.0.1:8000/predict"
CONNECT_S = 5.0  # the longest wait for the connection that tells whether the service is there
IN_PATHS = "/%?&=:@!$'()*,;~+-._"  # characters that a path and a query may hold beside letters and digits


@dataclass(frozen=True)
class Address:
    """Where a service listens.

    Attributes:
        url: as the user wrote it.
        ip: the numeric address that answered.
        host: the value of the header Host.
        path: the path, with the query.
    """

    url: str
    ip: str
    port: int
    host: str
    path: str


def find(url: str, *, anywhere: bool) -> Address:
    """Return the address of a service, after one connection to it.

    Args:
        url: as "http://127.0.0.1:8000/predict".
        anywhere: allow services on other machines.

    Raises:
        UserError: the URL is wrong, its host is unknown or is another machine, or nothing listens there.
    """
    host, port, netloc, path = _parts(url)
    found = _resolve(url, host, port)
    if foreign := [ip for ip in found if not anywhere and not _is_loopback(ip)]:
        raise UserError(
            f"{url}: {host} is not this machine ({foreign[0]}): load can stop a service, so send it to "
            "127.0.0.1, or add --anywhere if the service is yours."
        )
    failures = {}
    for ip in found:
        try:
            socket.create_connection((ip, port), CONNECT_S).close()
        except OSError as error:
            failures[ip] = error.strerror or str(error)
        else:
            return Address(url, ip, port, netloc, path)
    causes = "; ".join(f"{ip}: {why}" for ip, why in failures.items())
    raise UserError(f"{url}: no service listens there ({causes}): start it, or correct the address.")


def _parts(url: str) -> tuple[str, int, str, str]:
    """Return the host, the port, the header Host, and the path with its query."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", 80 if parts.port is None else parts.port
    except ValueError as error:
        raise UserError(f"{url}: is no address ({error}): write it as {EXAMPLE}.") from None
    if parts.scheme != "http" or not host:
        also = "; https is not supported" if parts.scheme == "https" else ""
        raise UserError(f"{url}: is no address that starts with http:// and a host{also}: as {EXAMPLE}.")
    if "@" in parts.netloc:
        raise UserError(f"{parts.scheme}://...@{host}: leave out the user's name and password.")
    if not parts.netloc.isascii() or not parts.netloc.isprintable():
        raise UserError(f"{url!r}: its host has characters that no host has: write it as {EXAMPLE}.")
    query = f"?{parts.query}" if parts.query else ""
    return host, port, parts.netloc, quote(f"{parts.path or '/'}{query}", IN_PATHS)


def _resolve(url: str, host: str, port: int) -> list[str]:
    """Return the numeric addresses of a host, each once."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UserError(f"{url}: the host {host} is unknown ({error}): correct its name.") from None
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def _is_loopback(ip: str) -> bool:
    return ipaddress.ip_address(ip.partition("%")[0]).is_loopback
