"""How the routes reach the service: in a worker thread beside the event loop, single requests in batches."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from serve.served_model import Answered, FixtureQuery, GivenQuery
from serve.service import ForecastService, Outcome

PART = 250  # fixtures of a large batch in one inference


class Backend:
    """Forecasts of one serving process. A replica and the tests' client share it.

    A batch function returns one outcome for each query: the forecast, or the exception in its place. `forecast` raises
    it. Ray Serve's `@serve.batch` needs that: it hands a returned exception to the caller as a result.

    Parameters
    ----------
    service
        Makes and logs the forecasts.
    in_batch
        Calls `answer_batch` with a query and those that wait, and returns the outcome of the query. None: each query is
        a batch of its own.
    """

    def __init__(
        self, service: ForecastService, in_batch: Callable[[FixtureQuery], Awaitable[Outcome]] | None = None
    ) -> None:
        self._service = service
        self._in_batch = in_batch or self._alone
        # One thread: while it works on a batch the next one gathers, and a model is switched between two batches.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="forecast")
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="log")  # writes large batches to the log

    async def forecast(self, query: FixtureQuery) -> Answered:
        """Forecast one fixture, in a batch with those that arrive at the same time.

        Raises
        ------
        UnknownLeague, UnknownTeam
            A name is not known.
        FootballError
            The match cannot be.
        NotReady, PredictionLogError
            As of `ForecastService.answer`.
        """
        outcome = await self._in_batch(query)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def forecast_all(self, queries: Sequence[FixtureQuery]) -> tuple[int, list[Outcome]]:
        """Forecast many fixtures by one version; returns its number and one outcome for each query.

        Part by part, so that single requests get their turn in between; the records are written to the log at once.

        Raises
        ------
        NotReady, PredictionLogError
            As of `ForecastService.ready` and `keep`.
        """
        loop = asyncio.get_running_loop()
        model = self._service.ready()
        started = time.perf_counter()
        outcomes: list[Outcome] = []
        for start in range(0, len(queries), PART):
            part = queries[start : start + PART]
            outcomes += await loop.run_in_executor(self._worker, self._service.forecast, part, model)
        seconds = time.perf_counter() - started
        await loop.run_in_executor(self._keeper, self._service.keep, queries, outcomes, seconds)
        return model.version, outcomes

    async def forecast_given(self, query: GivenQuery) -> Answered:
        """Forecast a match between given histories.

        Raises
        ------
        NotReady, PredictionLogError, FootballError
            As of `ForecastService.answer_given`.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, self._service.answer_given, query)

    async def answer_batch(self, queries: Sequence[FixtureQuery]) -> list[Outcome]:
        """Answer a batch of single requests: one outcome for each query, in their order.

        Raises
        ------
        NotReady
            There is no model yet.
        """
        loop = asyncio.get_running_loop()
        _, outcomes = await loop.run_in_executor(self._worker, self._service.answer, queries)
        return outcomes

    async def _alone(self, query: FixtureQuery) -> Outcome:
        (outcome,) = await self.answer_batch([query])
        return outcome
