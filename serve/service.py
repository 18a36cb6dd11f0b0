"""One serving process: the loaded model, the prediction log and the metrics. Independent of HTTP and of Ray."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from football_assets.errors import FootballError
from football_assets.monitoring.summary import LATEST as DRIFT_SUMMARY
from football_assets.monitoring.summary import load_summary
from football_assets.registry.store import Registry
from football_assets.storage.bucket import Bucket
from serve.answer_log import AnswerLog
from serve.fixture_list import FixtureList
from serve.logs import logger
from serve.metrics import ServingMetrics
from serve.prediction_log import PredictionLog
from serve.served_model import CustomQuery, FixtureQuery, MatchForecast, Outcome, ServedModel

SPOOL = "prediction_log"
MODELS = "models"
RETRY_SECONDS = 30.0  # before a version that could not be loaded is loaded again


class ModelChoice(BaseModel):
    """Which model to serve and how: the part of `user_config` that concerns it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int | str = Field(
        "production", description="Registry version, or an alias, which is followed when it moves."
    )
    provider: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where ONNX Runtime runs the model; auto: CUDA where there is a device."
    )
    threads: int = Field(1, ge=1, description="Threads that one inference may use on the CPU.")
    poll_seconds: float = Field(
        2.0, gt=0, description="Seconds between two reads of the alias and of the fixture list."
    )


class NotReady(FootballError):
    """No model is loaded."""


class ForecastService:
    """Answers queries with the model that was loaded last. The old model keeps serving while a new one fails to load.

    Parameters
    ----------
    bucket
        Holds the registry and the fixture list; receives the prediction log.
    scratch
        Local folder for bundles and open segments of the log.
    metrics
        Metrics of this process.
    """

    def __init__(self, bucket: Bucket, scratch: Path, metrics: ServingMetrics) -> None:
        self.bucket = bucket
        self.metrics = metrics
        self.model: ServedModel | None = None
        self.model_error: str | None = None
        self.config_error: str | None = None
        self.fixtures = FixtureList.empty()
        self.log = PredictionLog(bucket, scratch / SPOOL)
        self._answers = AnswerLog(self.log, metrics)
        self._started = time.monotonic()
        self._scratch = scratch / MODELS
        self._choice = ModelChoice()
        self._loaded_as: tuple[int | str, ...] | None = None
        self._failed: tuple[int | str, ...] | None = None
        self._retry_at = 0.0
        self._switching = threading.Lock()
        self._drift_object_version: str | None = None
        self._problems: dict[str, str] = {}

    @property
    def choice(self) -> ModelChoice:
        """The latest choice."""
        return self._choice

    @property
    def uptime_seconds(self) -> float:
        """Seconds since the service was created."""
        return time.monotonic() - self._started

    def ready(self) -> ServedModel:
        """Return the loaded model.

        Raises
        ------
        NotReady
            No model is loaded yet.
        """
        if self.model is None:
            raise NotReady(self.model_error or "No model is loaded yet: try again in a moment.")
        return self.model

    def load(self, choice: ModelChoice) -> None:
        """Load the chosen model beside the serving one and switch to it from the next batch on.

        If loading fails, the old model keeps serving and `model_error` has the reason.
        """
        with self._switching:
            self._choice = choice
            self._failed = None
            self._load()

    def refresh(self) -> None:
        """Reread the alias, the fixture list and the drift summary from the bucket, and upload old log segments."""
        with self._switching:
            self._load()
            self._reread("fixture list", self._read_fixtures)
            self._reread("drift summary", self._read_drift)
        self._answers.rotate_if_due()

    def answer(self, queries: Sequence[FixtureQuery]) -> tuple[int, list[Outcome]]:
        """Forecast and log fixtures.

        Returns
        -------
        int
            Version of the model that forecast.
        list of Outcome
            One outcome for each query, in order. A forecast that could not be logged is replaced by a
            `PredictionLogError`.

        Raises
        ------
        NotReady
            No model is loaded yet.
        """
        model = self.ready()
        started = time.perf_counter()
        outcomes = self.forecast(queries, model)
        return model.version, self.release(queries, outcomes, time.perf_counter() - started)

    def forecast(self, queries: Sequence[FixtureQuery], model: ServedModel) -> list[Outcome]:
        """Forecast fixtures without logging: `release` decides which forecasts may be sent.

        A query on which the model fails does not fail the others.

        Returns
        -------
        list of Outcome
            One outcome for each query, in order.
        """
        started = time.perf_counter()
        outcomes: list[Outcome]
        try:
            outcomes = [*model.forecast(queries, self.fixtures, datetime.now(UTC).date())]
        except Exception as error:  # one query may be the cause: each gets its own outcome
            if len(queries) == 1:
                return [error]
            return [outcome for query in queries for outcome in self.forecast([query], model)]
        count = sum(isinstance(outcome, MatchForecast) for outcome in outcomes)
        if count:
            self.metrics.observe_inference(count, time.perf_counter() - started)
        return outcomes

    def answer_custom(self, query: CustomQuery) -> MatchForecast:
        """Forecast and log a match between custom histories.

        Raises
        ------
        NotReady
            No model is loaded yet.
        PredictionLogError
            The forecast could not be logged.
        FootballError
            A history is not valid.
        """
        model = self.ready()
        started = time.perf_counter()
        forecast = model.forecast_custom(query, datetime.now(UTC).date())
        seconds = time.perf_counter() - started
        self.metrics.observe_inference(1, seconds)
        (outcome,) = self.release([query], [forecast], seconds)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def release(
        self, queries: Sequence[FixtureQuery | CustomQuery], outcomes: Sequence[Outcome], seconds: float
    ) -> list[Outcome]:
        """Log forecasts and return the outcomes that may be sent. See `AnswerLog.release`."""
        return self._answers.release(queries, outcomes, seconds)

    def close(self) -> None:
        """Upload the log to the bucket and close it."""
        self._answers.close()

    def _reread(self, name: str, read: Callable[[], None]) -> None:
        """Read again; if that fails, what was read before stays, and an error is logged when it is a new one."""
        try:
            read()
        except Exception as error:  # of the bucket, or of an object that cannot be parsed
            problem = f"{type(error).__name__}: {error}"
            if self._problems.get(name) != problem:
                logger.error("The %s cannot be read: %s", name, problem)
            self._problems[name] = problem
        else:
            self._problems.pop(name, None)

    def _read_fixtures(self) -> None:
        self.fixtures = FixtureList.read(self.bucket, self.fixtures)

    def _read_drift(self) -> None:
        info = self.bucket.stat(DRIFT_SUMMARY)
        if info is None or info.version == self._drift_object_version:
            return
        summary = load_summary(self.bucket)
        if summary is not None:
            self.metrics.drift.set(summary.drift_share, summary.live_log_loss, summary.stopped_feeds)
            self._drift_object_version = info.version

    def _load(self) -> None:
        registry = Registry(self.bucket)
        choice = self._choice
        wanted: tuple[int | str, ...] = (choice.version,)
        try:
            version = registry.resolve(choice.version)
            wanted = (version, choice.provider, choice.threads)
            if self._loaded_as == wanted:
                if self.model_error is not None:
                    self.model_error = None
                    self.metrics.model_load_failing.set(0)
                return
            if wanted == self._failed and time.monotonic() < self._retry_at:
                return
            model = ServedModel.load(
                registry, version, self._scratch, provider=choice.provider, threads=choice.threads
            )
        except FootballError as error:
            if self.model_error != str(error):
                logger.error("Model %s cannot be loaded: %s", choice.version, error)
                self.metrics.count_model_load_failure()
            self.model_error, self._failed = str(error), wanted
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return
        before = self.model.version if self.model else None
        self.model, self._loaded_as = model, wanted
        self.model_error, self._failed = None, None
        self.metrics.set_model(model.version, model.as_of, model.published)
        logger.info("Serving model version %d (before: %s)", model.version, before)
