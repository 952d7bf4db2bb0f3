"""A service with one server and a queue, in a process of its own: each request takes the same time.

It computes by its clock when each request is served, so that its queue is exact. Some paths misbehave.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from httptools import HttpRequestParser

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
AT_ONCE = {
    "/busy": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "/garbage": b"what is HTTP?\r\n\r\n",
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n",
    "/one-by-one": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "/announced": b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER,
}
SPIN_NS = 1_500_000


class Service:
    """The one server and its queue."""

    def __init__(self, service_ms: float, stall_at_s: float, stall_ms: float) -> None:
        self.service_ns, self.stall_ns = round(service_ms * 1e6), round(stall_ms * 1e6)
        self.stall_at_ns = round(stall_at_s * 1e9)
        self.first_ns = self.free_ns = 0
        self.queue: asyncio.Queue[tuple[int, asyncio.Transport]] = asyncio.Queue()
        self.bodies: list[tuple[str, int]] = []  # their types and lengths
        self.late_ms: list[float] = []  # of answers, after their times, since somebody last asked

    def take(self, transport: asyncio.Transport) -> None:
        """Put a request that came now at the end of the queue."""
        now = time.perf_counter_ns()
        self.first_ns = self.first_ns or now
        self.free_ns = max(now, self.free_ns)
        if self.stall_ns and now - self.first_ns >= self.stall_at_ns:
            self.free_ns, self.stall_ns = self.free_ns + self.stall_ns, 0
        self.free_ns += self.service_ns
        self.queue.put_nowait((self.free_ns, transport))

    async def serve(self) -> None:
        """Answer each request at its time."""
        while True:
            due_ns, transport = await self.queue.get()
            await asyncio.sleep(max(0, due_ns - SPIN_NS - time.perf_counter_ns()) / 1e9)
            while time.perf_counter_ns() < due_ns:
                await asyncio.sleep(0)
            self.late_ms.append((time.perf_counter_ns() - due_ns) / 1e6)
            transport.write(ANSWER)


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._begin()

    def _begin(self) -> None:
        self.parser = HttpRequestParser(self)
        self.path, self.kind, self.length = "", "", 0

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.path += url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self.kind = value.decode()

    def on_body(self, body: bytes) -> None:
        self.length += len(body)

    def on_message_complete(self) -> None:
        path, _, _ = self.path.partition("?")
        if self.kind:
            self.service.bodies.append((self.kind, self.length))
        if path == "/exit":
            os._exit(0)
        elif path == "/close":
            self.transport.abort()
        elif path == "/bodies":
            self._tell(self.service.bodies)
        elif path == "/late-ms":
            self._tell(self.service.late_ms)
            self.service.late_ms = []
        elif path in AT_ONCE:
            self.transport.write(AT_ONCE[path])
            if path == "/one-by-one":
                self.transport.close()
        elif path != "/never":
            self.service.take(self.transport)
        asyncio.get_running_loop().call_soon(self._begin)

    def _tell(self, value: object) -> None:
        text = json.dumps(value).encode()
        head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(text)}\r\n\r\n"
        self.transport.write(head.encode() + text)
        self.transport.close()


async def main(service_ms: float, stall_at_s: float, stall_ms: float) -> None:
    """Serve, and print the port."""
    service = Service(service_ms, stall_at_s, stall_ms)
    server = await asyncio.get_running_loop().create_server(lambda: Caller(service), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await service.serve()


def ask(url: str) -> Any:
    """Return what a service tells of itself: `/bodies` that it got, `/late-ms` of its answers."""
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


@contextmanager
def running(service_ms: float = 0.0, *, stall_at_s: float = 0.0, stall_ms: float = 0.0) -> Iterator[str]:
    """Yield the URL of a service that runs during the block.

    Args:
        service_ms: the time that each request takes.
        stall_at_s: when the service stalls once, after its first request.
        stall_ms: for how long; 0: never.
    """
    command = [sys.executable, __file__, str(service_ms), str(stall_at_s), str(stall_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(main(*map(float, sys.argv[1:])))
