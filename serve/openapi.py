"""The OpenAPI document of the HTTP API."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serve.problems import MEDIA_TYPE

DESCRIPTION = """\
Every forecast is that of the model version `production` of the registry, which the answer names. Errors are problem
documents (RFC 9457). A server that requires a key takes it in the header X-API-Key, as a bearer token, or as the
password of HTTP basic authentication. A client that sends more requests than the server allows gets status 429 with
Retry-After. Fields and values of enumerations are added to answers within a version of the API: ignore those that you
do not know.
"""
TAGS = [
    {
        "name": "forecasts",
        "description": "Probabilities of fixtures, one, many, or of teams that the model does not know.",
    },
    {"name": "knowledge", "description": "What the server knows: fixtures, leagues, teams, and the model."},
    {"name": "operations", "description": "State of the server, for probes, Prometheus and people."},
]
SERVERS = [{"url": "/", "description": "The server that the document is from."}]
_KEY = {
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The key of FOOTBALL_API_KEY.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "The key, in the header Authorization."},
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "Any user, with the key as password: for browsers.",
    },
}
_RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}


def openapi_document(api: FastAPI) -> dict[str, Any]:
    """Build the OpenAPI document, once.

    FastAPI declares the media type of the route's answer for its errors; this declares that of problem documents. A
    key is optional in the document, since one server requires it and another does not.
    """
    if api.openapi_schema is None:
        document = get_openapi(
            title=api.title,
            version=api.version,
            summary=api.summary,
            description=api.description,
            contact=api.contact,
            license_info=api.license_info,
            tags=TAGS,
            servers=SERVERS,
            routes=api.routes,
        )
        document["components"]["securitySchemes"] = _KEY
        document["security"] = [{}, *({name: []} for name in _KEY)]
        for operations in document["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400:
                        (problem,) = response["content"].values()
                        response["content"] = {MEDIA_TYPE: problem}
                    if int(status) in (429, 503):
                        response["headers"] = {"Retry-After": _RETRY_AFTER}
        api.openapi_schema = document
    return api.openapi_schema
