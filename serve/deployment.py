"""The Ray Serve deployment: a replica is one process that takes HTTP requests and forecasts them in batches.

Ingress and model share the process on purpose: a call from one deployment to another costs more than ten forecasts.
"""

import asyncio
import gc
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ray import serve

from football_assets.errors import FootballError
from football_assets.runtime.ray_private import load_actor_classes_from_this_machine
from football_assets.settings import get_settings
from football_assets.storage.opening import open_bucket
from serve.api import build_api
from serve.backend import Backend
from serve.logs import ignore_log_errors, logger
from serve.metrics import configure_directory, serving_metrics
from serve.metrics_folder import METRICS
from serve.middleware import App, Limits
from serve.served_model import FixtureQuery, Outcome
from serve.service import ForecastService, ModelChoice


class UserConfig(ModelChoice):
    """Settings that can change while a replica runs: `user_config` in Serve's configuration."""

    max_batch_size: int = Field(
        64, ge=1, description="Maximum batch size of an inference, for single requests."
    )
    batch_wait_seconds: float = Field(
        0.0,
        ge=0,
        description="How long a request waits for others to form a batch. 0: only requests that arrive during an "
        "inference form the next batch.",
    )
    reload: str = Field(
        "",
        description="Each new value makes every replica load its version again, as `serving_deployment` does with a "
        "replica that lags.",
    )


class ReplicaConfig(BaseModel):
    """Limits of a replica: `args` of the application in Serve's configuration."""

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
        ignore_log_errors()
        load_actor_classes_from_this_machine()
        settings = get_settings()
        configure_directory(settings.scratch / METRICS)
        self._config = ReplicaConfig(**config)
        self._service = ForecastService(open_bucket(settings.bucket_url), settings.scratch, serving_metrics())
        self._keys = settings.keys
        self._backend = Backend(self._service, self._forecast_batch)
        self._follower: asyncio.Task[None] | None = None

    def __serve_build_asgi_app__(self) -> App:
        """Build the ASGI application; Serve calls this once."""
        limits = Limits(**self._config.model_dump())
        return build_api(self._service, self._backend, limits=limits, keys=self._keys)

    async def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Load the wanted model while the old one answers, then switch.

        If a model cannot be loaded or a configuration is not valid, the replica keeps serving and `/health` reports the
        reason.

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
            logger.error("%s", self._service.config_error)
            return
        self._service.config_error = None
        self._forecast_batch.set_max_batch_size(config.max_batch_size)
        self._forecast_batch.set_batch_wait_timeout_s(config.batch_wait_seconds)
        choice = ModelChoice(**config.model_dump(include=set(ModelChoice.model_fields)))
        await asyncio.to_thread(self._service.load, choice)
        await asyncio.to_thread(self._service.refresh)
        if self._follower is None:
            gc.collect()
            gc.freeze()  # what is loaded by now stays: collecting it again cost a fifth of a large batch
            self._follower = asyncio.get_running_loop().create_task(self._follow())

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.0)  # type: ignore[untyped-decorator]
    async def _forecast_batch(self, queries: list[FixtureQuery]) -> list[Outcome]:
        return await self._backend.answer_batch(queries)

    async def _follow(self) -> None:
        """Poll the alias and the fixture list, and upload old segments of the log."""
        while True:
            await asyncio.sleep(self._service.choice.poll_seconds)
            try:
                await asyncio.to_thread(self._service.refresh)
            except FootballError as error:
                logger.error("The registry or the prediction log cannot be refreshed: %s", error)
            except Exception:  # polling must not end while the replica lives
                logger.exception("The registry or the prediction log cannot be refreshed")

    def __del__(self) -> None:
        """Upload the log when Serve stops the replica."""
        service = getattr(self, "_service", None)
        if service is not None:
            service.close()
