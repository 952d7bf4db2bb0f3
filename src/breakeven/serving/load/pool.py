"""The connections to the service: one for each request under way, up to a limit; further requests wait."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Sequence

from breakeven.serving.load.address import Address
from breakeven.serving.load.connection import Connection
from breakeven.serving.load.exchange import CLOSED, NO_CONNECTION, TIMEOUT, Exchange

# A service closes connections that nobody uses, some after 2 s. A request that is sent meanwhile is lost.
MAX_UNUSED_NS = 1_500_000_000


class Pool:
    """Connections that are opened on demand and kept, with a queue of requests for when all are in use."""

    def __init__(self, address: Address, requests: Sequence[bytes], limit: int, timeout_s: float) -> None:
        """Open nothing yet.

        Args:
            requests: what to send, in turn.
            limit: the most connections.
            timeout_s: when a request ends as an error, seconds after it was begun.
        """
        self.on_end: Callable[[], None] = lambda: None  # is called after the end of each request
        self._address, self._requests = address, requests
        self._limit, self._timeout_s = limit, timeout_s
        self._idle: list[Connection] = []
        self._busy: dict[Exchange, Connection] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: deque[Exchange] = deque()
        self._under_way = 0
        self._drained = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def begin(self, exchange: Exchange) -> None:
        """Send a request now, or as soon as there is a connection for it."""
        exchange.begun_ns = time.perf_counter_ns()
        exchange.timer = self._loop.call_later(self._timeout_s, self._time_out, exchange)
        self._under_way += 1
        if connection := self._unused():
            self._send(connection, exchange)
        elif len(self._busy) + len(self._opening) < self._limit:
            self._open_for(exchange)
        else:
            self._waiting.append(exchange)

    async def drained(self) -> None:
        """Wait until no request is under way."""
        while self._under_way:
            self._drained.clear()
            await self._drained.wait()

    async def close(self) -> None:
        """Close all connections, whatever is under way."""
        for task in self._opening:
            task.cancel()
        for connection in (*self._idle, *self._busy.values()):
            connection.drop()
        await asyncio.sleep(0)  # the loop closes the sockets

    def _unused(self) -> Connection | None:
        """Return an open connection that nobody uses."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and time.perf_counter_ns() - connection.unused_since_ns < MAX_UNUSED_NS:
                return connection
            connection.close()
        return None

    def _send(self, connection: Connection, exchange: Exchange) -> None:
        self._busy[exchange] = connection
        connection.send(exchange, self._requests[exchange.number % len(self._requests)])

    def _open_for(self, exchange: Exchange) -> None:
        task = self._loop.create_task(self._open(exchange))
        self._opening.add(task)

    async def _open(self, exchange: Exchange) -> None:
        """Open a connection, and send a request on it: this one, unless it has ended meanwhile."""
        task = asyncio.current_task()
        assert task is not None
        connection = Connection(self._answered)
        try:
            await self._loop.create_connection(lambda: connection, self._address.ip, self._address.port)
        except asyncio.CancelledError:
            connection.drop()  # it may be open already
            raise
        except OSError as error:
            self._opening.discard(task)
            if not exchange.ended_ns:
                why = os.strerror(error.errno) if error.errno else str(error)
                self._finish(exchange, time.perf_counter_ns(), f"{NO_CONNECTION}: {why}")
            if following := self._first_waiting():
                self._open_for(following)
            return
        self._opening.discard(task)
        if exchange.ended_ns:
            self._pass_on(connection)
        elif connection.is_open:
            self._send(connection, exchange)
        else:  # the service has closed it at once
            self._pass_on(connection)
            self._finish(exchange, time.perf_counter_ns(), CLOSED)

    def _answered(self, connection: Connection, exchange: Exchange, now_ns: int, cause: str) -> None:
        del self._busy[exchange]
        self._pass_on(connection)
        self._finish(exchange, now_ns, cause)

    def _time_out(self, exchange: Exchange) -> None:
        if connection := self._busy.pop(exchange, None):
            connection.drop()  # its answer may still come
            self._pass_on(connection)
        self._finish(exchange, time.perf_counter_ns(), TIMEOUT)

    def _pass_on(self, connection: Connection) -> None:
        """Give a connection that has become free, or its place, to the first request that waits."""
        following = self._first_waiting()
        if following is None:
            if connection.is_open:
                self._idle.append(connection)
        elif connection.is_open:
            self._send(connection, following)
        else:
            self._open_for(following)

    def _first_waiting(self) -> Exchange | None:
        """Return the first request that still waits, and take it from the queue."""
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.ended_ns:
                return exchange
        return None

    def _finish(self, exchange: Exchange, now_ns: int, cause: str) -> None:
        exchange.ended_ns, exchange.cause = now_ns, cause
        if exchange.timer:
            exchange.timer.cancel()
            exchange.timer = None
        self._under_way -= 1
        self.on_end()
        if not self._under_way:
            self._drained.set()
