"""The HTTP interface of a service: FastAPI's application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import numpy as np
from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST

from breakeven import __version__
from breakeven.artifacts.model_manifest import ImageInput
from breakeven.serving import openapi
from breakeven.serving.access_log import AccessLog
from breakeven.serving.answers import predictions
from breakeven.serving.batching import Crowded
from breakeven.serving.body import body_of
from breakeven.serving.decoding import NPY, samples_of
from breakeven.serving.openapi import ARRAY
from breakeven.serving.predictor import Unavailable
from breakeven.serving.refusal import Refused
from breakeven.serving.service import Service

SMALL = 64 * 1024  # bytes that take so little time that others may wait for it
FALLBACK, ARTIFACT = "X-Breakeven-Fallback", "X-Breakeven-Artifact"
PATHS = frozenset({"/predict", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"})


def create_app(service: Service) -> FastAPI:
    """Return the application of a service, whose processes somebody else starts and ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.batcher.start()
        yield
        await service.batcher.stop()

    app = FastAPI(
        title=f"Breakeven: {service.model.family}",
        description=f"Answers with {service.model.manifest.variant}, and with eager where that fails.",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.openapi_version = "3.0.2"  # the page below, which needs no other server, reads no newer one
    app.add_middleware(AccessLog, metrics=service.metrics, paths=PATHS)
    _add_own_pages(app, service)

    @app.post("/predict", openapi_extra=openapi.body_of(service.model), summary="Classify")
    async def predict(request: Request) -> Response:
        """Answer an image file, an array as `numpy.save` writes it, or JSON with numbers."""
        try:
            if service.batcher.is_full:  # before the body takes memory
                raise Crowded
            body = await body_of(request, service.settings.limits)
            with service.metrics.decoding.time():
                samples = await _samples(service, body)
            request.state.samples = len(samples)
            answered = await service.batcher.answer(samples)
        except Refused as error:
            return JSONResponse({"error": str(error)}, error.status)
        except Crowded:
            sentence = f"{service.settings.queue} requests wait already: come again later."
            return JSONResponse({"error": sentence}, 503, {"Retry-After": "1"})
        except Unavailable as error:
            return JSONResponse({"error": f"Nothing answers: {error}."}, 503, {"Retry-After": "5"})
        headers = {ARTIFACT: service.model.digest}
        by = service.model.manifest.variant
        if answered.fallback:
            request.state.fallback = headers[FALLBACK] = answered.fallback.value
            by = "none/fp32/eager"
        if request.headers.get("accept") == ARRAY:
            return Response(_npy(answered.outputs), headers=headers, media_type=ARRAY)
        work = partial(predictions, answered.outputs, service.model.classes, service.model.is_classification)
        told = work() if answered.outputs.nbytes < SMALL else await asyncio.to_thread(work)
        return JSONResponse(
            {"predictions": told, "answered_by": by, "sha256": service.model.digest}, headers=headers
        )

    return app


def _add_own_pages(app: FastAPI, service: Service) -> None:
    """Add what operators read, and the page of the interface."""
    from swagger_ui_bundle import swagger_ui_path

    app.mount("/assets", StaticFiles(directory=swagger_ui_path))

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the service runs."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        """Say whether requests are answered, and by whom."""
        if not service.is_ready:
            return JSONResponse({"status": "starting"}, 503)
        if reasons := service.reasons:
            return JSONResponse({"status": "eager answers", "reasons": reasons})
        return JSONResponse({"status": "ok", "answers": service.model.manifest.variant})

    @app.get("/metrics")
    async def metrics() -> Response:
        """Return the figures that Prometheus scrapes."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """Return the page on which the interface can be tried."""
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=app.title,
            swagger_js_url="/assets/swagger-ui-bundle.js",
            swagger_css_url="/assets/swagger-ui.css",
            swagger_favicon_url="/assets/favicon-32x32.png",
        )


async def _samples(service: Service, body: bytes) -> Any:
    work = partial(samples_of, body, service.model.shape, service.settings.limits, service.model.varying)
    is_image = isinstance(service.model.shape, ImageInput) and not body.startswith(NPY)
    if len(body) < SMALL and not is_image:
        return work()
    async with service.decoders:
        return await asyncio.to_thread(work)


def _npy(outputs: Any) -> bytes:
    import io

    file = io.BytesIO()
    np.save(file, outputs)
    return file.getvalue()
