"""The Ray Serve deployment: a replica is one process that takes HTTP requests and forecasts them in batches.

Ingress and model share the process on purpose: a call from one deployment to another costs more than ten forecasts.
"""

import asyncio
import gc
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ray import serve

from football_assets.bucket import open_bucket
from football_assets.errors import FootballError
from football_assets.settings import get_settings
from serve.api import build_api
from serve.metrics import configure_directory, serving_metrics
from serve.middleware import App, Limits
from serve.model import Answered, FixtureQuery, GivenQuery
from serve.service import ForecastService, ModelChoice

METRICS = "serve_metrics"
PART = 250  # fixtures of a large batch in one inference

_log = logging.getLogger("serve")


class UserConfig(ModelChoice):
    """What may change while a replica runs: `user_config` in Serve's configuration."""

    max_batch_size: int = Field(64, ge=1, description="Most fixtures of single requests in one inference.")
    batch_wait_seconds: float = Field(
        0.0,
        ge=0,
        description="How long a lone request waits for company. 0: only those are batched that came during the "
        "inference before.",
    )


class ReplicaConfig(BaseModel):
    """What a replica takes on: `args` of the application in Serve's configuration."""

    model_config = ConfigDict(extra="forbid")

    body_bytes: int = Field(Limits.body_bytes, ge=1024, description="Largest body of a request.")
    requests_at_once: int = Field(
        Limits.requests_at_once,
        ge=1,
        description="POST requests that a replica works on at once; those beyond get 503 and Retry-After.",
    )


@serve.deployment(name="Forecaster")
@serve.ingress()
class Forecaster:
    """A replica. Serve calls `reconfigure` when it starts and each time `user_config` changes."""

    def __init__(self, config: dict[str, Any]) -> None:
        settings = get_settings()
        configure_directory(settings.scratch / METRICS)
        self._config = ReplicaConfig(**config)
        self._service = ForecastService(open_bucket(settings.bucket_url), settings.scratch, serving_metrics())
        self._api_key = settings.api_key.get_secret_value() if settings.api_key else None
        # One thread: while it works on a batch the next one gathers, and a model is switched between two batches.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="forecast")
        self._keeper = ThreadPoolExecutor(
            1, thread_name_prefix="log"
        )  # waits for the disk, for large batches
        self._follower: asyncio.Task[None] | None = None

    def __serve_build_asgi_app__(self) -> App:
        limits = Limits(**self._config.model_dump())
        return build_api(self._service, self, limits=limits, api_key=self._api_key)

    async def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Load the wanted model while the old one answers, then switch.

        Neither a model that cannot be loaded nor a configuration that is not valid takes a replica down that answers:
        `/health` says what is wrong.

        Raises
        ------
        ValidationError
            The first configuration is not valid.
        """
        try:
            config = UserConfig(**user_config)
        except ValidationError as error:
            if self._service.model is None:
                raise
            self._service.config_error = f"user_config is not valid: {' '.join(str(error).split())}"
            _log.error("%s", self._service.config_error)
            return
        self._service.config_error = None
        self._forecast_batch.set_max_batch_size(config.max_batch_size)
        self._forecast_batch.set_batch_wait_timeout_s(config.batch_wait_seconds)
        choice = ModelChoice(**config.model_dump(include=set(ModelChoice.model_fields)))
        await asyncio.to_thread(self._service.use, choice)
        await asyncio.to_thread(self._service.refresh)
        if self._follower is None:
            gc.collect()
            gc.freeze()  # what is loaded by now stays: looking through it cost a fifth of a large batch
            self._follower = asyncio.get_running_loop().create_task(self._follow())

    async def forecast(self, query: FixtureQuery) -> Answered:
        """One fixture, answered with those that arrive at the same time. Raises what is wrong with it."""
        answer: Answered = await self._forecast_batch(query)
        return answer

    async def forecast_all(
        self, queries: Sequence[FixtureQuery]
    ) -> tuple[int, list[Answered | FootballError]]:
        """Many fixtures, answered by one version, whose number comes first.

        Part by part, so that single requests get their turn in between; but they wait for the disk once.
        """
        loop = asyncio.get_running_loop()
        model = self._service.ready()
        started = time.perf_counter()
        answers: list[Answered | FootballError] = []
        for start in range(0, len(queries), PART):
            part = queries[start : start + PART]
            answers += await loop.run_in_executor(self._worker, self._service.forecast, part, model)
        seconds = time.perf_counter() - started
        await loop.run_in_executor(self._keeper, self._service.keep, queries, answers, seconds)
        return model.version, answers

    async def forecast_given(self, query: GivenQuery) -> Answered:
        """A match between given histories."""
        return await asyncio.get_running_loop().run_in_executor(
            self._worker, self._service.answer_given, query
        )

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.0)
    async def _forecast_batch(self, queries: list[FixtureQuery]) -> list[Answered | FootballError]:
        return (
            await asyncio.get_running_loop().run_in_executor(self._worker, self._service.answer, queries)
        )[1]

    async def _follow(self) -> None:
        """Follow the alias and the fixture list, and close old segments of the log."""
        while True:
            await asyncio.sleep(self._service.choice.poll_seconds)
            try:
                await asyncio.to_thread(self._service.refresh)
            except FootballError as error:
                _log.error("The bucket cannot be followed: %s", error)
            except Exception:  # following must not end while the replica lives
                _log.exception("The bucket cannot be followed")

    def __del__(self) -> None:
        service = getattr(self, "_service", None)
        if service is not None:
            service.close()
