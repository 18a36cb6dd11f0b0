"""One serving process: the model it answers from, the log of its answers, its metrics. Knows neither HTTP nor Ray."""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from football_assets.errors import FootballError
from football_assets.monitoring.summary import LATEST as DRIFT_SUMMARY
from football_assets.monitoring.summary import load_summary
from football_assets.registry.store import Registry
from football_assets.storage.bucket import Bucket
from serve.fixture_list import FixtureList
from serve.logs import logger
from serve.metrics import ServingMetrics
from serve.prediction_log import PredictionLog, PredictionLogError
from serve.served_model import Answered, FixtureQuery, GivenQuery, ServedModel

SPOOL = "prediction_log"
MODELS = "models"
RETRY_SECONDS = 30.0  # before a version that could not be loaded is tried again

Outcome = Answered | Exception  # of a query: its forecast, or why there is none


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
        2.0, gt=0, description="How often the alias and the fixture list are looked at, in seconds."
    )


class NotReady(FootballError):
    """There is no model to answer from."""


class ForecastService:
    """Answers queries from the model chosen last, and keeps the old one while a new one cannot be loaded.

    Parameters
    ----------
    bucket
        Holds the registry and the fixture list; takes the prediction log.
    scratch
        Local folder for bundles and open segments of the log.
    metrics
        Counts what this process does.
    """

    def __init__(self, bucket: Bucket, scratch: Path, metrics: ServingMetrics) -> None:
        self.bucket = bucket
        self.metrics = metrics
        self.model: ServedModel | None = None
        self.model_error: str | None = None
        self.config_error: str | None = None
        self.fixtures = FixtureList.empty()
        self.log = PredictionLog(bucket, scratch / SPOOL)
        self._started = time.monotonic()
        self._scratch = scratch / MODELS
        self._choice = ModelChoice()
        self._loaded_as: tuple[int | str, ...] | None = None
        self._failed: tuple[int | str, ...] | None = None
        self._retry_at = 0.0
        self._switching = threading.Lock()
        self._drift_version: str | None = None
        self._counting = threading.Lock()
        self._log_bytes = 0
        self._log_was_failing = False

    @property
    def choice(self) -> ModelChoice:
        """What was chosen last."""
        return self._choice

    @property
    def uptime_seconds(self) -> float:
        """Seconds since the service began."""
        return time.monotonic() - self._started

    def ready(self) -> ServedModel:
        """The model that answers.

        Raises
        ------
        NotReady
            There is none yet.
        """
        if self.model is None:
            raise NotReady(self.model_error or "No model is loaded yet: try again in a moment.")
        return self.model

    def use(self, choice: ModelChoice) -> None:
        """Load the chosen model beside the one that answers, and answer from it from the next batch on.

        If it cannot be loaded, the old one goes on answering and `model_error` says why.
        """
        with self._switching:
            self._choice = choice
            self._failed = None
            self._load()

    def refresh(self) -> None:
        """Follow what has moved in the bucket: alias, fixture list, drift report; and close what is old in the log."""
        with self._switching:
            self._load()
            try:
                self.fixtures = FixtureList.read(self.bucket, self.fixtures)
            except Exception as error:  # of the bucket, or of a file that is no table: the old list goes on
                logger.error("The fixture list cannot be read: %s: %s", type(error).__name__, error)
            try:
                self._note_drift()
            except Exception as error:  # as above: the old figures go on
                logger.error("The drift summary cannot be read: %s: %s", type(error).__name__, error)
        self.log.rotate_if_due()
        self._count_log()

    def answer(self, queries: Sequence[FixtureQuery]) -> tuple[int, list[Outcome]]:
        """Forecast and log; returns the version that answers, and one outcome for each query, in their order.

        A forecast that could not be logged has a `PredictionLogError` in its place.

        Raises
        ------
        NotReady
            There is no model yet.
        """
        model = self.ready()
        started = time.perf_counter()
        outcomes = self.forecast(queries, model)
        try:
            self.keep(queries, outcomes, time.perf_counter() - started)
        except PredictionLogError as error:
            outcomes = [_unlogged(item, error) for item in outcomes]
        return model.version, outcomes

    def forecast(self, queries: Sequence[FixtureQuery], model: ServedModel) -> list[Outcome]:
        """Forecast without logging; returns one outcome for each query, in their order.

        A query on which the model fails does not fail the others. Forecasts may leave once `keep` has logged them.
        """
        started = time.perf_counter()
        outcomes: list[Outcome]
        try:
            outcomes = [*model.forecast(queries, self.fixtures, datetime.now(UTC).date())]
        except Exception as error:  # one query may be the cause: each gets its own outcome
            if len(queries) == 1:
                return [error]
            return [outcome for query in queries for outcome in self.forecast([query], model)]
        count = sum(isinstance(outcome, Answered) for outcome in outcomes)
        if count:
            self.metrics.observe_inference(count, time.perf_counter() - started)
        return outcomes

    def answer_given(self, query: GivenQuery) -> Answered:
        """The forecast of a match between given histories.

        Raises
        ------
        NotReady, PredictionLogError
            As of `answer`.
        FootballError
            The histories cannot be.
        """
        model = self.ready()
        started = time.perf_counter()
        answer = model.forecast_given(query, datetime.now(UTC).date())
        seconds = time.perf_counter() - started
        self.metrics.observe_inference(1, seconds)
        self.keep([query], [answer], seconds)
        return answer

    def keep(
        self,
        queries: Sequence[FixtureQuery | GivenQuery],
        outcomes: Sequence[Outcome],
        seconds: float,
    ) -> None:
        """Log the forecasts among the outcomes, which took so many seconds, and count them.

        Raises
        ------
        PredictionLogError
            They could not be made durable, so none may leave.
        """
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        latency = round(seconds * 1000, 3)
        kinds: dict[str, list[list[float]]] = {}
        records = []
        for query, answer in zip(queries, outcomes, strict=True):
            if not isinstance(answer, Answered):
                continue
            kind = query.kind if isinstance(query, FixtureQuery) else "sequences"
            kinds.setdefault(kind, []).append(answer.probabilities)
            records.append(_record(query.request_id, kind, now, latency, answer))
        if not records:
            return
        try:
            self.log.append(records)
        finally:
            self._count_log()
        for kind, probabilities in kinds.items():
            self.metrics.observe_predictions(np.array(probabilities), kind)

    def close(self) -> None:
        """Hand the log over to the bucket."""
        self.log.close()
        self._count_log()

    def _note_drift(self) -> None:
        info = self.bucket.stat(DRIFT_SUMMARY)
        if info is None or info.version == self._drift_version:
            return
        summary = load_summary(self.bucket)
        if summary is not None:
            self.metrics.note_drift(summary.drift_share, summary.live_log_loss)
            self._drift_version = info.version

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
                logger.error("Model %s is not served: %s", choice.version, error)
                self.metrics.fail_model_load()
            self.model_error, self._failed = str(error), wanted
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return
        before = self.model.version if self.model else None
        self.model, self._loaded_as = model, wanted
        self.model_error, self._failed = None, None
        self.metrics.take_up_model(model.version, model.as_of, model.published)
        logger.info("Model version %d answers (before: %s)", model.version, before)

    def _count_log(self) -> None:
        with self._counting:
            written = self.log.bytes_written
            if written > self._log_bytes:
                self.metrics.prediction_log_bytes.inc(written - self._log_bytes)
                self._log_bytes = written
            failing = self.log.error is not None
            if failing and not self._log_was_failing:
                self.metrics.prediction_log_failures.inc()
            self._log_was_failing = failing


def _unlogged(outcome: Outcome, error: PredictionLogError) -> Outcome:
    """An error of its own for each forecast: several requests raise them at the same time."""
    if not isinstance(outcome, Answered):
        return outcome
    own = PredictionLogError(str(error))
    own.__cause__ = error
    return own


def _record(request_id: str, kind: str, now: str, latency_ms: float, answer: Answered) -> dict[str, Any]:
    fixture = answer.fixture
    return {
        "request_id": request_id,
        "time": now,
        "model_version": answer.version,
        "kind": kind,
        "league_id": answer.league_id,
        "home_team_id": fixture.home_team_id if fixture else None,
        "away_team_id": fixture.away_team_id if fixture else None,
        "kickoff_date": answer.day,
        "features": answer.context,  # in the order of the version's feature spec; JSON has null for NaN
        "p": answer.probabilities,
        "xg": answer.expected_goals,
        "latency_ms": latency_ms,
    }
