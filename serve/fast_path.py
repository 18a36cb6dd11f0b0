"""Answers valid JSON requests to the forecasting routes without the framework."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import FastAPI, Response
from pydantic import BaseModel, ValidationError

from serve.middleware import App, Message, Receive, Scope, Send, path_below
from serve.problems import REQUEST_ID


@dataclass(frozen=True)
class Forecasts:
    """What a body asks for, and the answer to a request's identifier and body."""

    body: type[BaseModel]
    answer: Callable[[str, Any], Awaitable[dict[str, Any]]]


class FastPath:
    """Answers plain valid requests to some routes, and hands all others to the framework.

    FastAPI's routing and body parsing cost several times the inference. The answers have the same bytes. Errors are
    raised: the `Gate` around this answers them as the framework's handlers do.

    Parameters
    ----------
    api
        The framework's application.
    forecasts
        The routes to answer, by path.
    """

    def __init__(self, api: FastAPI, forecasts: Mapping[str, Forecasts]) -> None:
        self._api: App = api
        self._forecasts = forecasts
        self._routes = {getattr(route, "path", None): route for route in api.routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _plain_path(scope)
        forecasts = self._forecasts.get(path)
        if forecasts is None:
            await self._api(scope, receive, send)
            return
        messages: list[Message] = []
        while not messages or messages[-1].get("more_body"):
            messages.append(await receive())
        try:
            body = forecasts.body.model_validate_json(
                b"".join(message.get("body", b"") for message in messages)
            )
        except ValidationError:
            await self._api(scope, _again(messages, receive), send)
            return
        scope["route"] = self._routes[path]
        response = json_response(await forecasts.answer(scope[REQUEST_ID], body))
        await response(scope, receive, send)


def json_response(content: Mapping[str, Any]) -> Response:
    """An answer in JSON; arrays of NumPy may be in it."""
    return Response(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


def _plain_path(scope: Scope) -> str:
    """Path of a POST request with a body in JSON and no query; empty for any other."""
    is_plain = (
        scope["type"] == "http"
        and scope["method"] == "POST"
        and not scope["query_string"]
        and (b"content-type", b"application/json") in scope["headers"]
    )
    return path_below(scope) if is_plain else ""


def _again(messages: Sequence[Message], receive: Receive) -> Receive:
    """The messages that were received already, then those that follow."""
    left = iter(messages)

    async def receive_again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return receive_again
