"""Answers valid JSON requests to the forecasting routes without FastAPI."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import FastAPI, Response
from pydantic import BaseModel, ValidationError

from serve.middleware import App, Message, Receive, Scope, Send, path_below


@dataclass(frozen=True)
class FastRoute:
    """A route that `FastPath` may answer.

    Attributes
    ----------
    schema
        Validates the body.
    answer
        Returns the body of the answer, given the request's scope and the validated body.
    """

    schema: type[BaseModel]
    answer: Callable[[Scope, Any], Awaitable[dict[str, Any]]]


class FastPath:
    """Answers plain valid requests to some routes and passes all others to FastAPI.

    FastAPI's routing and body parsing cost several times the inference. The answers have the same bytes. Errors are
    raised: the `Gate` around this answers them as FastAPI's exception handlers do.

    Parameters
    ----------
    api
        The FastAPI application.
    routes
        The routes to answer, by path.
    """

    def __init__(self, api: FastAPI, routes: Mapping[str, FastRoute]) -> None:
        self._api: App = api
        self._fast_routes = routes
        self._api_routes = {getattr(route, "path", None): route for route in api.routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it to FastAPI with its body."""
        path = _plain_path(scope)
        fast_route = self._fast_routes.get(path)
        if fast_route is None:
            await self._api(scope, receive, send)
            return
        messages: list[Message] = []
        while not messages or messages[-1].get("more_body"):
            messages.append(await receive())
        try:
            body = fast_route.schema.model_validate_json(
                b"".join(message.get("body", b"") for message in messages)
            )
        except ValidationError:
            await self._api(scope, _replay(messages, receive), send)
            return
        scope["route"] = self._api_routes[path]
        response = json_response(await fast_route.answer(scope, body))
        await response(scope, receive, send)


def json_response(content: Mapping[str, Any]) -> Response:
    """Serialise the body of an answer. It may hold NumPy arrays."""
    return Response(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


def _plain_path(scope: Scope) -> str:
    """Return the path of a POST request with a body in JSON and no query; empty for any other."""
    is_plain = (
        scope["type"] == "http"
        and scope["method"] == "POST"
        and not scope["query_string"]
        and (b"content-type", b"application/json") in scope["headers"]
    )
    return path_below(scope) if is_plain else ""


def _replay(messages: Sequence[Message], receive: Receive) -> Receive:
    """Return a `receive` that replays messages that were received already, then receives those that follow."""
    left = iter(messages)

    async def receive_again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return receive_again
