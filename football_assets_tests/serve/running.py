"""The HTTP API in this process, without Ray: what tests of serving ask."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

import httpx
from prometheus_client.parser import text_string_to_metric_families

from serve.middleware import App
from serve.service import ForecastService

Result = TypeVar("Result")


class Client:
    """Requests to an ASGI application, one event loop for all of them."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._runner = asyncio.Runner()

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return self.run(self.send(method, path, **arguments))

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, **arguments)

    async def send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """The same from a coroutine, so that several requests can be on their way."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://forecasts.test") as client:
            return await client.request(method, path, **arguments)

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(coroutine)

    def close(self) -> None:
        self._runner.close()


async def in_chunks(body: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """A body whose length is not announced."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


def metric(service: ForecastService, name: str, **labels: str) -> float:
    """Sum of the samples of a metric that have these labels."""
    content, _ = service.metrics.render()
    return sum(
        sample.value
        for family in text_string_to_metric_families(content.decode())
        for sample in family.samples
        if sample.name == f"football_{name}" and labels.items() <= sample.labels.items()
    )
