"""The backend: what it makes of the outcomes of a batch, and in which order large and small batches are answered."""

import asyncio
from collections.abc import Sequence
from datetime import date

import pytest

from football_assets.errors import UnknownTeam
from football_assets_tests.builders.running import fixture_query
from serve.backend import PART, Backend
from serve.served_model import FixtureQuery, MatchForecast, Outcome, ServedModel
from serve.service import ForecastService

KNOWN = fixture_query("known", "predict", "eng.1", "Arsenal", "Chelsea", date(2016, 6, 1))
UNKNOWN = fixture_query("unknown", "predict", "eng.1", "Arsenall", "Chelsea", date(2016, 6, 1))


class Pair:
    """A queue that answers two queries in one batch and returns each outcome as it is, as `@serve.batch` does."""

    def __init__(self, service: ForecastService) -> None:
        self.backend = Backend(service, self.wait)
        self._waiting: dict[FixtureQuery, asyncio.Future[Outcome]] = {}

    async def wait(self, query: FixtureQuery) -> Outcome:
        self._waiting[query] = asyncio.get_running_loop().create_future()
        if len(self._waiting) == 2:
            outcomes = await self.backend.answer_batch([*self._waiting])
            for future, outcome in zip(self._waiting.values(), outcomes, strict=True):
                future.set_result(outcome)
        return await self._waiting[query]


def test_an_error_that_a_batch_returns_is_raised_to_its_own_request_alone(service: ForecastService) -> None:
    async def ask() -> tuple[MatchForecast | BaseException, MatchForecast | BaseException]:
        backend = Pair(service).backend
        return await asyncio.gather(
            backend.forecast(KNOWN), backend.forecast(UNKNOWN), return_exceptions=True
        )

    answer, error = asyncio.run(ask())

    assert isinstance(answer, MatchForecast)
    assert answer.fixture is not None
    assert answer.fixture.home_team == "Arsenal"
    assert isinstance(error, UnknownTeam)
    assert error.suggestions == ["Arsenal"]


def test_a_request_is_answered_between_two_parts_of_a_large_batch(
    service: ForecastService, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    forecast = ServedModel.forecast

    def counted(model: ServedModel, queries: Sequence[FixtureQuery], *others: object) -> object:
        sizes.append(len(queries))
        return forecast(model, queries, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(ServedModel, "forecast", counted)
    large = [KNOWN._replace(request_id=f"large/{n}", kind="batch") for n in range(2 * PART + 1)]

    async def ask() -> tuple[tuple[int, list[Outcome]], MatchForecast]:
        backend = Backend(service)
        return await asyncio.gather(backend.forecast_all(large), backend.forecast(KNOWN))

    (version, outcomes), _ = asyncio.run(ask())

    assert sizes == [PART, 1, PART, 1]
    assert version == 1
    assert [isinstance(outcome, MatchForecast) for outcome in outcomes] == [True] * len(large)
