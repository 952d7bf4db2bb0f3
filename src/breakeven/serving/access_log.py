"""A line of JSON for each request, and its count and duration among the metrics."""

import json
import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from breakeven.serving.metrics import Metrics

LOG = logging.getLogger("breakeven.access")
OTHER = "other"  # the path of what is not one of the service's own: clients may invent any number of paths


class AccessLog:
    """An application around another one, which notes each request."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        self._app, self._metrics, self._paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and note it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, told = time.perf_counter(), {"status": 500}
        scope.setdefault("state", {})

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._note(scope, told["status"], time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        path = scope["path"] if scope["path"] in self._paths else OTHER
        self._metrics.requests.labels(path, str(status)).inc()
        if path == "/predict":
            self._metrics.seconds.observe(seconds)
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "client": (scope.get("client") or ("",))[0],
            "method": scope["method"],
            "path": scope["path"][:200],
            "status": status,
            "ms": round(1e3 * seconds, 3),
            **{name: value for name, value in scope["state"].items() if name in ("fallback", "samples")},
        }
        LOG.info(json.dumps(line))
