"""The OpenAPI document of the HTTP API."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serve.problems import MEDIA_TYPE


def openapi_document(api: FastAPI) -> dict[str, Any]:
    """Build the OpenAPI document, once.

    FastAPI declares the media type of the route's answer for its errors; this declares that of problem documents.
    """
    if api.openapi_schema is None:
        document = get_openapi(title=api.title, version=api.version, summary=api.summary, routes=api.routes)
        for operations in document["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400:
                        (problem,) = response["content"].values()
                        response["content"] = {MEDIA_TYPE: problem}
        api.openapi_schema = document
    return api.openapi_schema
