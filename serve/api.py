"""The HTTP API: the routes over one `ForecastService`, with the fast path and the gate in front of them."""

from collections.abc import Sequence
from typing import Any, cast

from fastapi import Depends, FastAPI

from serve.backend import Backend
from serve.fast_path import FastPath, FastRoute
from serve.middleware import App, Gate, Limits
from serve.openapi import DESCRIPTION, openapi_document
from serve.problems import answer_with_problems, error_responses
from serve.routes.fixtures import add_fixtures
from serve.routes.forecasts import add_forecasts
from serve.routes.model import add_model
from serve.routes.operations import add_operations
from serve.routes.pages import add_pages
from serve.routes.parameters import reject_unknown_parameters
from serve.routes.teams import add_teams
from serve.service import ForecastService

TITLE = "Football forecasts"
API_VERSION = "1"


def build_api(service: ForecastService, backend: Backend, *, limits: Limits, keys: Sequence[str]) -> App:
    """Build the ASGI application of one serving process.

    Parameters
    ----------
    service
        The loaded model, the prediction log and the metrics.
    backend
        Forecasts through the service.
    limits
        Most bytes of a body, most requests at once.
    keys
        Every route but the probes requires one of them; none: no key is required.
    """
    api, fast_routes = _routes(service, backend)
    return Gate(FastPath(api, fast_routes), limits, keys, service.metrics)


def api_document() -> dict[str, Any]:
    """Build the OpenAPI document without a model: the routes are described, not called."""
    return openapi_document(make_routes())


def make_routes() -> FastAPI:
    """Make the routes without a model: they can be listed and described, not called."""
    api, _ = _routes(cast(ForecastService, None), cast(Backend, None))
    return api


def _routes(service: ForecastService, backend: Backend) -> tuple[FastAPI, dict[str, FastRoute]]:
    api = FastAPI(
        title=TITLE,
        version=API_VERSION,
        summary="Probabilities of football matches, from the production model.",
        description=DESCRIPTION,
        contact={"name": "Maintainers of football-assets"},
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(reject_unknown_parameters)],
        redirect_slashes=False,  # a redirect would name `http://` behind a proxy that ends TLS, and take the key there
        responses=error_responses(401, 429, 500, 502, 504),
    )
    api.openapi = lambda: openapi_document(api)  # type: ignore[method-assign]
    answer_with_problems(api)
    fast_routes = add_forecasts(api, backend)
    add_fixtures(api, service)
    add_teams(api, service)
    add_model(api, service)
    add_operations(api, service)
    add_pages(api, TITLE)
    return api, fast_routes
