"""Send a forecast only after its record is durable: `AnswerLog.release`."""

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from serve.metrics import ServingMetrics
from serve.prediction_log import PredictionLog, PredictionLogError
from serve.served_model import CustomQuery, FixtureQuery, MatchForecast, Outcome


class AnswerLog:
    """Releases forecasts once the prediction log holds their records, and counts them.

    Parameters
    ----------
    log
        The prediction log of this process.
    metrics
        Counts forecasts, bytes and failures of the log.
    """

    def __init__(self, log: PredictionLog, metrics: ServingMetrics) -> None:
        self._log = log
        self._metrics = metrics
        self._counting = threading.Lock()
        self._counted_bytes = 0
        self._was_failing = False

    def release(
        self, queries: Sequence[FixtureQuery | CustomQuery], outcomes: Sequence[Outcome], seconds: float
    ) -> list[Outcome]:
        """Log the forecasts among the outcomes and return what may be sent to the clients.

        Parameters
        ----------
        queries
            What was requested.
        outcomes
            One outcome for each query, in order.
        seconds
            Time that the forecasts took.

        Returns
        -------
        list of Outcome
            The outcomes. If the records could not be made durable, each forecast is replaced by a `PredictionLogError`.
        """
        kinds: dict[str, list[list[float]]] = {}
        tiers: Counter[str] = Counter()
        records = []
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        latency_ms = round(seconds * 1000, 3)
        for query, forecast in zip(queries, outcomes, strict=True):
            if isinstance(forecast, MatchForecast):
                kind = query.kind if isinstance(query, FixtureQuery) else "sequences"
                kinds.setdefault(kind, []).append(forecast.probabilities)
                tiers[forecast.inputs] += 1
                records.append(_record(query, kind, now, latency_ms, forecast))
        if not records:
            return [*outcomes]
        try:
            self._log.append(records)
        except PredictionLogError as error:
            return [_unlogged(item, error) for item in outcomes]
        finally:
            self._count()
        for kind, probabilities in kinds.items():
            self._metrics.observe_predictions(np.array(probabilities), kind)
        self._metrics.observe_inputs(tiers)
        return [*outcomes]

    def rotate_if_due(self) -> None:
        """Upload finished segments of the log; waits for the bucket."""
        self._log.rotate_if_due()
        self._count()

    def close(self) -> None:
        """Upload what the log holds and close it."""
        self._log.close()
        self._count()

    def _count(self) -> None:
        with self._counting:
            written = self._log.bytes_written
            if written > self._counted_bytes:
                self._metrics.prediction_log_bytes.inc(written - self._counted_bytes)
                self._counted_bytes = written
            is_failing = self._log.error is not None
            if is_failing and not self._was_failing:
                self._metrics.prediction_log_failures.inc()
            self._was_failing = is_failing


def _unlogged(outcome: Outcome, error: PredictionLogError) -> Outcome:
    """Replace a forecast by an error. Each gets its own error: several requests raise them at the same time."""
    if not isinstance(outcome, MatchForecast):
        return outcome
    own = PredictionLogError(str(error))
    own.__cause__ = error
    return own


def _record(
    query: FixtureQuery | CustomQuery, kind: str, now: str, latency_ms: float, forecast: MatchForecast
) -> dict[str, Any]:
    fixture = forecast.fixture
    record = {
        "request_id": query.request_id,
        "time": now,
        "model_version": forecast.model_version,
        "kind": kind,
        "league_id": forecast.league_id,
        "home_team_id": fixture.home_team_id if fixture else None,
        "away_team_id": fixture.away_team_id if fixture else None,
        "kickoff_date": forecast.day,
        "inputs": forecast.inputs,
        "features": forecast.context,  # in the order of the version's feature spec; JSON has null for NaN
        "p": forecast.probabilities,
        "xg": forecast.expected_goals,
        "latency_ms": latency_ms,
    }
    return record if query.trace is None else record | query.trace._asdict()
