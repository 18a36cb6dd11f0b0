"""Errors over HTTP: every refusal is a problem document [1], whoever refuses.

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

from football_assets.errors import BucketError, FootballError, RegistryError, UnknownLeague, UnknownName
from serve.prediction_log import PredictionLogError
from serve.service import NotReady

MEDIA_TYPE = "application/problem+json"
REQUEST_ID = "request_id"  # key of the ASGI scope


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Path of the field in the body, or name of the parameter.")
    message: str


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
    """Raised on the way to an answer; answered as a problem document.

    The framework lets its own kind of exception pass; any other that comes while it reads a body it takes for a broken
    body.
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


def problem_of(error: FootballError, field: str | None = None) -> ProblemError:
    """The problem that an error is: 404 for an unknown name, 503 for what may be better in a moment, else 422.

    Parameters
    ----------
    field
        The field that holds an unknown name.
    """
    match error:
        case UnknownName():
            return ProblemError(
                404,
                str(error),
                title="Unknown league" if isinstance(error, UnknownLeague) else "Unknown team",
                errors=[FieldError(field=field, message="There is none of this name.")] if field else None,
                suggestions=error.suggestions,
            )
        case NotReady():
            return ProblemError(503, str(error), headers={"Retry-After": "1"})
        case PredictionLogError():
            detail = f"The forecast was not answered, since it could not be logged. {error}"
            return ProblemError(503, detail, headers={"Retry-After": "5"})
        case BucketError() | RegistryError():
            return ProblemError(500, str(error))
        case _:
            return ProblemError(422, str(error))


def failure(scope: Mapping[str, Any]) -> ProblemError:
    """The problem of a request on which the server failed. The cause is for the log alone."""
    return ProblemError(
        500, f"The server failed on this request: its log has the cause under {scope.get(REQUEST_ID)}."
    )


def problem_body(problem: ProblemError) -> dict[str, Any]:
    """The members of a problem document that do not depend on the request."""
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
    """The problem document as the answer to a request."""
    body = problem_body(problem) | {"instance": scope["path"], REQUEST_ID: scope.get(REQUEST_ID)}
    content = orjson.dumps(body)
    return Response(content, problem.status, problem.headers, MEDIA_TYPE)


def field_errors(error: RequestValidationError) -> list[FieldError]:
    """The fields of a request that are not valid, by their path."""
    found = []
    for item in error.errors():
        place = [str(part) for part in item["loc"] if part not in {"body", "query", "path", "header"}]
        found.append(FieldError(field=".".join(place) or str(item["loc"][0]), message=str(item["msg"])))
    return found


def answer_with_problems(app: FastAPI) -> None:
    """Make every error of the application a problem document."""

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        return problem_response(error, request.scope)

    async def on_football_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, FootballError)
        return problem_response(problem_of(error), request.scope)

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        errors = field_errors(error)
        first = errors[0]
        detail = f"{first.field}: {first.message}." + (f" {len(errors) - 1} more." if errors[1:] else "")
        return problem_response(ProblemError(422, detail, errors=errors), request.scope)

    async def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = request.scope["path"]
        details = {
            404: f"There is nothing at {path}: see /docs.",
            405: f"{path} does not take {request.method}: see /docs.",
        }
        detail = details.get(error.status_code, str(error.detail))
        return problem_response(ProblemError(error.status_code, detail, headers=error.headers), request.scope)

    async def on_failure(request: Request, error: Exception) -> Response:
        return problem_response(failure(request.scope), request.scope)

    app.add_exception_handler(Exception, on_failure)
    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(FootballError, on_football_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http_error)
