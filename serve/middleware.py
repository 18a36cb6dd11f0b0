"""The outermost ASGI layer: identifiers of a request, key, limits, headers of every answer, metrics of requests.

Plain ASGI: Starlette's middleware classes would cost more than the forecast.
"""

import base64
import binascii
import hmac
import re
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from serve.haproxy_problems import KEY_CHALLENGE, KEY_REQUIRED, RETRY_AFTER_SECONDS
from serve.metrics import ServingMetrics
from serve.problems import REQUEST_ID, ProblemError, error_response, log_failure
from serve.trace_context import TRACE, read_trace_context

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Also for caches that many share: they know that Authorization makes an answer private, but not that X-API-Key does.
_NOT_STORED = (b"cache-control", b"no-store")
OPEN_PATHS = frozenset({"/health", "/ready"})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_POLICY = (
    b"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
# Swagger UI and the drift report have inline scripts. The report is sandboxed: it has no rights on this host.
_POLICIES = {
    "/docs": _POLICY + b"; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'",
    "/drift": b"sandbox allow-scripts allow-downloads; default-src 'none'; img-src data: blob:; font-src data:; "
    b"script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline'",
}


@dataclass(frozen=True)
class Limits:
    """Limits of a replica: bytes of a body, and POST requests in progress."""

    body_bytes: int = 1 << 20
    requests_at_once: int = 64


class Gate:
    """The outermost ASGI layer of the application.

    Parameters
    ----------
    app
        Answers the requests that are accepted.
    limits
        Requests beyond them are rejected, not queued.
    keys
        Requests must send one of them; none: no key is required.
    metrics
        Counts answered and rejected requests.
    """

    def __init__(self, app: App, limits: Limits, keys: Sequence[str], metrics: ServingMetrics) -> None:
        self._app = app
        self._metrics = metrics
        self._limits = limits
        self._keys = [key.encode() for key in keys]
        self._working = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or reject it with a problem document. HEAD has the headers of GET, without the body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        method = scope["method"]
        if method == "HEAD":  # FastAPI's routes have GET alone
            scope = {**scope, "method": "GET"}
        received_id = _header(scope, b"x-request-id")
        request_id = _request_id(received_id)
        scope[REQUEST_ID] = request_id
        scope[TRACE] = read_trace_context(scope["headers"])
        headers = _headers(path_below(scope))
        if received_id != request_id.encode():  # Ray Serve adds the request's own identifier
            headers.append((b"x-request-id", request_id.encode()))
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *headers]
                if not any(name == b"cache-control" for name, _ in message["headers"]):
                    message["headers"].append(_NOT_STORED)
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._pass_on(scope, receive, answer)
        except Exception as error:
            if not status:
                await error_response(error, scope)(scope, receive, answer)
            elif status < 500:  # a part of the answer has been sent: the connection must break
                log_failure(error, request_id, scope["path"], scope[TRACE])
                raise
        finally:
            if status == 413:
                self._metrics.reject_request("too_large")
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.observe_request(route, method, status, time.perf_counter() - started)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._keys and path_below(scope) not in OPEN_PATHS:
            self._check_key(scope)
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if self._working >= self._limits.requests_at_once:
            self._metrics.reject_request("saturated")
            raise ProblemError(
                503,
                f"{self._working} requests are in progress, the limit of this replica: try again in "
                f"{RETRY_AFTER_SECONDS} s.",
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        self._working += 1
        self._metrics.queue_depth.set(self._working)
        try:
            await self._app(scope, _bounded(scope, receive, self._limits.body_bytes), send)
        finally:
            self._working -= 1
            self._metrics.queue_depth.set(self._working)

    def _check_key(self, scope: Scope) -> None:
        received = _received_key(scope)
        # All are compared, so that the time does not tell which of them is similar.
        if not any([hmac.compare_digest(received, key) for key in self._keys]):  # noqa: C419
            self._metrics.reject_request("unauthorized")
            raise ProblemError(
                401,
                KEY_REQUIRED,
                headers={"WWW-Authenticate": KEY_CHALLENGE},
            )


def path_below(scope: Scope) -> str:
    """Return the path below the prefix that the application is served under."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)


def _request_id(received: bytes | None) -> str:
    if received is not None and _REQUEST_ID.fullmatch(received):
        return received.decode()
    return uuid.uuid4().hex


def _received_key(scope: Scope) -> bytes:
    key = _header(scope, b"x-api-key")
    if key is not None:
        return bytes(key)
    kind, _, credentials = (_header(scope, b"authorization") or b"").partition(b" ")
    if kind.lower() == b"bearer":
        return credentials.strip()
    if kind.lower() == b"basic":
        try:
            return base64.b64decode(credentials, validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""


def _headers(path: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", _POLICIES.get(path, _POLICY)),
    ]


def _bounded(scope: Scope, receive: Receive, most: int) -> Receive:
    """Return a `receive` that raises once the body is known to be larger than `most` bytes."""
    too_large = ProblemError(
        413,
        f"The body is larger than {most:,} bytes: send fewer fixtures at once.",
        headers={"Connection": "close"},
    )
    announced = _header(scope, b"content-length")
    if announced is not None and announced.isdigit() and int(announced) > most:
        raise too_large
    seen = 0

    async def receive_bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise too_large
        return message

    return receive_bounded
