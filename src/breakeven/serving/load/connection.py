"""A connection to the service, which carries one request at a time."""

import asyncio
import time
from collections.abc import Callable
from typing import cast

from httptools import HttpParserError, HttpResponseParser

from breakeven.serving.load.exchange import BAD_ANSWER, CLOSED, Exchange

Ended = Callable[["Connection", Exchange, int, str], None]


class Connection(asyncio.Protocol):
    """An HTTP/1.1 connection that is kept open.

    A general HTTP client spends some tenths of a millisecond on each request, between its time and the
    network. This one writes bytes that were made beforehand, at once, and reads the answer by a parser in C.
    """

    def __init__(self, ended: Ended) -> None:
        """Send nothing yet.

        Args:
            ended: is called when a request ends: with this connection, the request, the time
                (`time.perf_counter_ns`), and the cause if it failed.
        """
        self._ended = ended
        self._exchange: Exchange | None = None
        self._parser = HttpResponseParser(self)
        self._complete = False
        self._transport: asyncio.Transport | None = None
        self.unused_since_ns = 0
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def send(self, exchange: Exchange, request: bytes) -> None:
        """Send a request; the connection must have none under way."""
        self._exchange, self._complete = exchange, False
        self._parser = HttpResponseParser(self)
        assert self._transport is not None
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read a part of an answer; end the request with the last one."""
        now = time.perf_counter_ns()
        if self._exchange is None:  # bytes that nobody asked for
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.close()
            self._end(now, BAD_ANSWER)
            return
        if self._complete:
            status = self._parser.get_status_code()
            if not self._parser.should_keep_alive():
                self.close()
            self._end(now, "" if 200 <= status < 300 else f"HTTP {status}")

    def on_message_complete(self) -> None:
        """Note the end of an answer, unless it only announces the real one. The parser calls this."""
        self._complete = self._parser.get_status_code() >= 200

    def connection_lost(self, error: Exception | None) -> None:
        """End the request that is under way with an error."""
        self.is_open = False
        self._end(time.perf_counter_ns(), CLOSED)

    def close(self) -> None:
        """Close the connection now."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def drop(self) -> None:
        """Close the connection now, and forget the request that is under way."""
        self._exchange = None
        self.close()

    def _end(self, now_ns: int, cause: str) -> None:
        exchange, self._exchange = self._exchange, None
        self.unused_since_ns = now_ns
        if exchange is not None:
            self._ended(self, exchange, now_ns, cause)
