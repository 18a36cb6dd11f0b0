"""Errors over HTTP: every error is answered with a problem document [1], wherever it is raised.

References
----------
[1] RFC 9457, Problem Details for HTTP APIs.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from football_assets.errors import (
    BucketError,
    FootballError,
    RegistryError,
    SignaturePolicyError,
    UnknownLeague,
    UnknownName,
)
from serve.logs import logger
from serve.metric_slots import MetricsError
from serve.prediction_log import PredictionLogError
from serve.schemas import FieldError
from serve.service import NotReady
from serve.trace_context import TRACE, TraceContext

MEDIA_TYPE = "application/problem+json"
SERVER_ERRORS = (BucketError, RegistryError, SignaturePolicyError, MetricsError)
REQUEST_ID = "request_id"  # key of the ASGI scope
# Every status of an error, in the words of the OpenAPI document and of the reference.
STATUSES = {
    400: "The body cannot be parsed.",
    401: "The key is missing or wrong.",
    404: "The league or the team is not known, with the nearest names in `suggestions`; or the path does not exist.",
    405: "The path does not support this method: `Allow` lists the supported ones.",
    408: "The request was not complete within 10 s.",
    413: "The body is too large.",
    415: "The body is not sent as JSON: `Content-Type` must be `application/json`, without `Content-Encoding`.",
    422: "The request is not valid, with its fields in `errors`; or the match is not possible.",
    429: "Too many requests of this key, or of this address without a key: try again after `Retry-After` seconds.",
    500: "The server failed; its log has the cause under the request's identifier.",
    502: "The replica ended before it answered: try again.",
    503: "No model is loaded yet, the forecast could not be logged, or too many requests wait: try again after "
    "`Retry-After` seconds.",
    504: "The replica did not answer in time.",
}


_UNREADABLE = (
    "The body cannot be read: send JSON in UTF-8, without deep nesting and numbers of thousands of digits."
)


class Problem(BaseModel):
    """Why a request was not answered."""

    type: str = Field("about:blank", description="Kind of problem: the HTTP status alone.")
    title: str = Field(description="The kind of problem in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What was wrong, where, and what to do.")
    instance: str | None = Field(None, description="Path of the request.")
    request_id: str | None = Field(None, description="Identifier of the request, as in X-Request-ID.")
    errors: list[FieldError] | None = Field(None, description="Fields that are not valid or not known.")
    suggestions: list[str] | None = Field(None, description="The nearest names, with status 404.")


class ProblemError(HTTPException):
    """An error with its status, answered as a problem document.

    It is one of Starlette's own exceptions, since FastAPI treats any other that is raised while it reads a body as an
    invalid body.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        title: str | None = None,
        errors: Sequence[FieldError] | None = None,
        suggestions: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.status = status
        self.title = title or HTTPStatus(status).phrase
        self.errors = errors
        self.suggestions = suggestions


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare the errors of a route for the OpenAPI document."""
    return {status: {"model": Problem, "description": STATUSES[status]} for status in statuses}


def problem_of(error: Exception, *, field: str | None = None, request_id: str | None = None) -> ProblemError:
    """Choose the status and the content of the problem document of an error.

    The status is 404 for an unknown name, 503 for an error that a retry may resolve, 422 for other errors of the
    request, and 500 for errors of the server.

    Parameters
    ----------
    error
        Any exception.
    field
        Field of the request that holds an unknown name; None: the field that the error has.
    request_id
        Identifier under which the cause of a failure is logged.
    """
    match error:
        case ProblemError():
            return error
        case UnknownName():
            kind = "league" if isinstance(error, UnknownLeague) else "team"
            return ProblemError(
                404,
                str(error),
                title=f"Unknown {kind}",
                errors=[FieldError(field=field or error.field, message="The name is not known.")],
                suggestions=error.suggestions,
            )
        case NotReady():
            return ProblemError(503, str(error), headers={"Retry-After": "1"})
        case PredictionLogError():
            detail = f"The forecast could not be logged and was not returned. {error}"
            return ProblemError(503, detail, headers={"Retry-After": "5"})
        case FootballError() if not isinstance(error, SERVER_ERRORS):
            return ProblemError(422, str(error))
        case _:  # the cause goes to the log only
            return ProblemError(
                500, f"The server failed on this request: its log has the cause under {request_id}."
            )


def log_failure(
    error: Exception, request_id: str | None, path: str, trace: TraceContext | None = None
) -> None:
    """Log an error of the server with its traceback and the trace context; an error of the request is not logged."""
    is_expected = isinstance(error, ProblemError | NotReady)
    if not is_expected and problem_of(error).status >= 500:
        logger.error("Request %s to %s failed%s", request_id, path, trace or "", exc_info=error)


def error_response(error: Exception, scope: Mapping[str, Any]) -> Response:
    """Answer a failed request with a problem document; an error of the server is logged."""
    request_id = scope.get(REQUEST_ID)
    log_failure(error, request_id, scope["path"], scope.get(TRACE))
    return problem_response(problem_of(error, request_id=request_id), scope)


def problem_body(problem: ProblemError) -> dict[str, Any]:
    """Return the members of a problem document that do not depend on the request."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = [error.model_dump() for error in problem.errors]
    if problem.suggestions is not None:
        body["suggestions"] = list(problem.suggestions)
    return body


def problem_response(problem: ProblemError, scope: Mapping[str, Any]) -> Response:
    """Serialise a problem document as the answer to a request."""
    body = problem_body(problem) | {"instance": scope["path"], REQUEST_ID: scope.get(REQUEST_ID)}
    content = orjson.dumps(body)
    return Response(content, problem.status, problem.headers, MEDIA_TYPE)


def field_errors(error: RequestValidationError) -> list[FieldError]:
    """Return the fields of a request that are not valid, by their path."""
    found = []
    for item in error.errors():
        place = [str(part) for part in item["loc"] if part not in {"body", "query", "path", "header"}]
        found.append(FieldError(field=".".join(place) or str(item["loc"][0]), message=str(item["msg"])))
    return found


def _body_problem(request: Request, error: RequestValidationError) -> ProblemError | None:
    """Return the problem of a body that is not JSON, or is not declared as JSON; None: its fields are not valid."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        position = first["loc"][-1]
        reason = first["ctx"]["error"]
        return _encoding_problem(request) or ProblemError(
            400, f"The body is not JSON: {reason} at character {position}."
        )
    is_whole_body = tuple(first["loc"]) == ("body",)
    if is_whole_body and isinstance(first["input"], bytes) and not _is_json(request):
        media_type = request.headers.get("content-type")
        found = f"Content-Type is {media_type}" if media_type else "Content-Type is missing"
        return ProblemError(415, f"{found}: send JSON with Content-Type: application/json.")
    return None


def _encoding_problem(request: Request) -> ProblemError | None:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() == "identity":
        return None
    return ProblemError(
        415,
        f"Content-Encoding is {encoding}: send the body uncompressed.",
        headers={"Accept-Encoding": "identity"},
    )


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def answer_with_problems(app: FastAPI) -> None:
    """Register handlers that answer every error of the application with a problem document."""

    async def on_error(request: Request, error: Exception) -> Response:
        return error_response(error, request.scope)

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        problem = _body_problem(request, error)
        if problem is None:
            errors = field_errors(error)
            first = errors[0]
            more = f" {len(errors) - 1} more." if errors[1:] else ""
            problem = ProblemError(422, f"{first.field}: {first.message}.{more}", errors=errors)
        return problem_response(problem, request.scope)

    async def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = request.scope["path"]
        if error.status_code == 400:  # FastAPI: the body is neither JSON nor text
            return problem_response(
                _encoding_problem(request) or ProblemError(400, _UNREADABLE), request.scope
            )
        details = {
            404: f"{path} does not exist: see /docs.",
            405: f"{path} does not support {request.method}: see /docs.",
        }
        detail = details.get(error.status_code, str(error.detail))
        headers = dict(error.headers or {})
        if headers.get("Allow") == "GET":
            headers["Allow"] = "GET, HEAD"  # `Gate` answers HEAD
        return problem_response(ProblemError(error.status_code, detail, headers=headers), request.scope)

    for kind in (Exception, ProblemError, FootballError):
        app.add_exception_handler(kind, on_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http_error)
