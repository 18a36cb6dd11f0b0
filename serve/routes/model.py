"""`/model`: the served model version."""

from dataclasses import asdict

from fastapi import FastAPI, Response

from serve import model_schemas
from serve.fast_path import json_response
from serve.problems import error_responses
from serve.service import ForecastService


def add_model(api: FastAPI, service: ForecastService) -> None:
    """Add the route of the model."""

    @api.get(
        "/model", response_model=model_schemas.ModelAnswer, responses=error_responses(503), tags=["knowledge"]
    )
    async def model() -> Response:
        """Return the model version that forecasts, with its scores, model card, signature and provenance."""
        served = service.ready()
        return json_response(
            {
                "version": served.version,
                "published": served.published,
                "as_of": served.as_of,
                "provider": served.forecaster.provider,
                "signature": asdict(served.signature),
                "provenance": served.provenance,
                "metrics": served.metrics,
                "card": served.card,
            }
        )
