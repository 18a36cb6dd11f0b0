"""Clients of the HTTP API: of the application in this process, and of a server; and what its metrics say."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from datetime import date
from typing import Any, TypeVar

import httpx
import schemathesis
from prometheus_client.parser import text_string_to_metric_families

from football_assets_tests.builders.ray_private import RequestIdMiddleware
from serve.middleware import App
from serve.schemas import FixtureRequest, MatchOdds
from serve.served_model import FixtureQuery
from serve.service import ForecastService

KEY = "schlüssel-of:the test"
MATCH = {"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"}
# What cannot be answered without a model.
NEED_A_MODEL: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/predict", MATCH),
    ("POST", "/predict?scores=true", MATCH),
    ("POST", "/predict/batch", {"fixtures": [MATCH]}),
    ("POST", "/predict/sequences", {"league": "eng.1", "home": {"history": []}, "away": {"history": []}}),
    ("GET", "/fixtures?league=eng.1", None),
    ("GET", "/leagues", None),
    ("GET", "/teams", None),
    ("GET", "/teams/eng.1/Arsenal", None),
    ("GET", "/model", None),
    ("GET", "/ready", None),
]

Result = TypeVar("Result")


class Client:
    """Requests to an ASGI application in this process, or to a server; one event loop for all of them.

    Parameters
    ----------
    app
        The application; None: a server is asked.
    url
        The server's address.
    key
        Sent with every request that has no such header of its own.
    """

    def __init__(
        self, app: App | None = None, url: str = "http://forecasts.test", key: str | None = None
    ) -> None:
        self.app = RequestIdMiddleware(app) if app else None  # as Ray Serve does
        self.url = url
        self.headers: dict[Any, Any] = {} if key is None else {b"X-API-Key": key.encode()}
        self._runner = asyncio.Runner()

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return self.run(self.send(method, path, **arguments))

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, **arguments)

    async def send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """The same from a coroutine, so that several requests can be on their way."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False) if self.app else None
        async with httpx.AsyncClient(
            transport=transport, base_url=self.url, headers=self.headers, timeout=60
        ) as client:
            return await client.request(method, path, **arguments)

    def openapi(self) -> Any:
        """The OpenAPI document as schemathesis reads it."""
        if self.app:
            return schemathesis.openapi.from_asgi("/openapi.json", self.app)
        return schemathesis.openapi.from_url(f"{self.url}/openapi.json", headers=self.headers)

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(coroutine)

    def close(self) -> None:
        self._runner.close()


class ServingLog(logging.Handler):
    """Keeps what the serving application logs, at any level, as `logging` formats it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))

    def text(self) -> str:
        return "\n".join(self._lines)


async def in_chunks(body: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """A body whose length is not announced."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


def fixture_query(
    request_id: str,
    kind: str,
    league: str,
    home_team: str,
    away_team: str,
    day: date | None = None,
    odds: MatchOdds | None = None,
) -> FixtureQuery:
    """A query as the routes make it of a valid body."""
    body = FixtureRequest(league=league, home_team=home_team, away_team=away_team, date=day, odds=odds)
    return FixtureQuery(request_id, kind, body)


def metric(service: ForecastService, name: str, **labels: str) -> float:
    """Sum of the samples of a metric that have these labels."""
    content, _ = service.metrics.render()
    return sum(
        sample.value
        for family in text_string_to_metric_families(content.decode())
        for sample in family.samples
        if sample.name == f"football_{name}" and labels.items() <= sample.labels.items()
    )
