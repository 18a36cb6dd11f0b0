"""Run the service's inference in a worker thread, and single requests in batches."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from serve.prediction_log import PredictionLogError
from serve.served_model import CustomQuery, FixtureQuery, MatchForecast, Outcome
from serve.service import ForecastService

PART = 250  # fixtures of a large batch in one inference


class Backend:
    """Asynchronous forecasts of one serving process. A replica and the tests' client share it.

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
        # One thread: queries gather during an inference, and a model is switched between two batches.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="forecast")
        self._log_writer = ThreadPoolExecutor(1, thread_name_prefix="log")  # writes large batches to the log

    async def forecast(self, query: FixtureQuery) -> MatchForecast:
        """Forecast one fixture, in a batch with those that arrive at the same time.

        Raises
        ------
        UnknownLeague, UnknownTeam
            A name is not known.
        FootballError
            Both teams are the same, or the day is not after the last known match of both.
        NotReady, PredictionLogError
            As of `ForecastService.answer`.
        """
        outcome = await self._in_batch(query)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def forecast_all(self, queries: Sequence[FixtureQuery]) -> tuple[int, list[Outcome]]:
        """Forecast many fixtures by one model version.

        The inference is divided into parts, so that single requests are answered in between. All records are written to
        the log at once.

        Returns
        -------
        int
            The model version.
        list of Outcome
            One outcome for each query, in order.

        Raises
        ------
        NotReady
            No model is loaded yet.
        PredictionLogError
            The forecasts could not be logged.
        """
        loop = asyncio.get_running_loop()
        model = self._service.ready()
        started = time.perf_counter()
        outcomes: list[Outcome] = []
        for start in range(0, len(queries), PART):
            part = queries[start : start + PART]
            outcomes += await loop.run_in_executor(self._worker, self._service.forecast, part, model)
        seconds = time.perf_counter() - started
        released = await loop.run_in_executor(
            self._log_writer, self._service.release, queries, outcomes, seconds
        )
        for outcome in released:
            if isinstance(outcome, PredictionLogError):
                raise outcome
        return model.version, released

    async def forecast_custom(self, query: CustomQuery) -> MatchForecast:
        """Forecast a match between custom histories.

        Raises
        ------
        NotReady, PredictionLogError, FootballError
            As of `ForecastService.answer_custom`.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, self._service.answer_custom, query)

    async def answer_batch(self, queries: Sequence[FixtureQuery]) -> list[Outcome]:
        """Answer a batch of single requests: one outcome for each query, in order.

        Raises
        ------
        NotReady
            No model is loaded yet.
        """
        loop = asyncio.get_running_loop()
        _, outcomes = await loop.run_in_executor(self._worker, self._service.answer, queries)
        return outcomes

    async def _alone(self, query: FixtureQuery) -> Outcome:
        (outcome,) = await self.answer_batch([query])
        return outcome
