"""`/health`, `/ready`, `/metrics` and `/drift`: the state of a replica, for probes, Prometheus and people."""

import asyncio
import uuid
from enum import Enum

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse

from football_assets.errors import ObjectNotFound
from football_assets.monitoring.summary import REPORT as DRIFT_REPORT
from serve import schemas
from serve.fast_path import json_response
from serve.problems import ProblemError, error_responses
from serve.routes.parameters import OPERATIONS
from serve.service import ForecastService

_TAGS: list[str | Enum] = [OPERATIONS]


def add_operations(api: FastAPI, service: ForecastService) -> None:
    """Add the routes of operation."""
    replica = uuid.uuid4().hex[:8]

    @api.get("/health", response_model=schemas.Health, tags=_TAGS)
    async def health() -> Response:
        """Report the replica's state: `degraded` while it cannot load the wanted version or write its log."""
        served, log_error = service.model, service.log.error
        model_error = service.config_error or service.model_error
        status = "starting" if served is None else "degraded" if model_error or log_error else "ok"
        return json_response(
            {
                "status": status,
                "model_version": served.version if served else None,
                "provider": served.forecaster.provider if served else None,
                "replica": replica,
                "uptime_seconds": service.uptime_seconds,
                "model_error": model_error,
                "log_error": log_error,
            }
        )

    @api.get("/ready", response_model=schemas.Ready, responses=error_responses(503), tags=_TAGS)
    async def ready() -> Response:
        """Return 200 once a model is loaded, 503 until then."""
        return json_response({"model_version": service.ready().version})

    @api.get("/metrics", response_class=Response, tags=_TAGS)
    async def metrics() -> Response:
        """Return the totals of all replicas of this machine, in Prometheus' text format."""
        content, media_type = await asyncio.to_thread(service.metrics.render)
        return Response(content, media_type=media_type)

    @api.get("/drift", response_class=HTMLResponse, responses=error_responses(404), tags=_TAGS)
    async def drift() -> Response:
        """Return the latest drift report."""
        try:
            report = await asyncio.to_thread(service.bucket.read, DRIFT_REPORT)
        except ObjectNotFound:
            raise ProblemError(
                404, "There is no drift report yet: it is built once predictions have been logged."
            ) from None
        return HTMLResponse(report)
