"""The Prometheus metrics of a serving process. Any process renders the totals of all of its machine.

`metric_slots` has the files that the processes share, `metric_collector` adds them up.
"""

import os
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Literal, get_args

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from serve.bulk_histogram import BulkHistogram
from serve.drift_metrics import DriftMetrics
from serve.metric_collector import PREFIX, MachineCollector
from serve.metric_slots import FOLDER_VARIABLE, MetricsError, Slot
from serve.schemas import Inputs

OUTCOMES = ("home", "draw", "away")
KINDS = ("predict", "batch", "sequences")
TIERS: tuple[str, ...] = get_args(Inputs)
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

REQUEST_SECONDS_BUCKETS = (
    *(0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.0075),
    *(0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075),
    *(0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
INFERENCE_SECONDS = (
    0.0001,
    0.0002,
    0.0003,
    0.0005,
    0.001,
    0.002,
    0.003,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.5,
    1.0,
)
PROBABILITIES = tuple(round(0.05 * step, 2) for step in range(1, 20))
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

_PROBABILITY_BOUNDS = np.array(PROBABILITIES)
_OUTCOME_OFFSETS = np.arange(len(OUTCOMES)) * (len(PROBABILITIES) + 1)

_configuring = Lock()
_slot: Slot | None = None
_metrics: "ServingMetrics | None" = None


def configure_directory(folder: Path) -> Path:
    """Keep the metrics of this process in files of a folder that the machine's other serving processes share.

    Call it before the first use of `serving_metrics`; without it, a process renders its own metrics only.

    Parameters
    ----------
    folder
        A folder on a local disk or in memory, created if it is missing. PROMETHEUS_MULTIPROC_DIR takes precedence where
        it is set, and so does an earlier call.

    Returns
    -------
    Path
        The folder in use.

    Raises
    ------
    MetricsError
        This process already has metrics of its own.
    """
    global _slot
    with _configuring:
        if _slot is None:
            if _metrics is not None:
                raise MetricsError("Metrics of this process are in use: configure their directory first.")
            folder = Path(os.environ.get(FOLDER_VARIABLE) or folder).resolve()
            os.environ[FOLDER_VARIABLE] = str(folder)
            _slot = Slot(folder)
            # Metrics look this class up when they are created, even if the package was imported before.
            values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call]
                process_identifier=_slot.number
            )
        return _slot.folder


class ServingMetrics:
    """Every metric of a serving process. Its methods may be called from any thread.

    Parameters
    ----------
    slot
        The slot of this process in the shared folder; None: it renders its own metrics only.
    """

    def __init__(self, slot: Slot | None = None) -> None:
        self._own = CollectorRegistry()
        self._rendered = CollectorRegistry()
        self._rendered.register(MachineCollector(self._own, slot.folder if slot else None))
        self._add_request_metrics()
        self._add_forecast_metrics()
        self._add_model_metrics()
        self.drift = DriftMetrics(
            lambda name, documentation, labels: self._gauge(name, documentation, "livemostrecent", labels)
        )
        self.prediction_log_bytes = self._counter(
            "prediction_log_bytes_total", "Bytes written to the prediction log."
        )
        self.prediction_log_failures = self._counter(
            "prediction_log_failures_total", "Batches of records that could not be written or uploaded."
        )

    def _add_request_metrics(self) -> None:
        self.requests = self._counter("requests_total", "Requests answered.", ("route", "method", "status"))
        self.request_seconds = Histogram(
            f"{PREFIX}request_seconds",
            "Time from a request's arrival in the process to its answer.",
            ("route",),
            buckets=REQUEST_SECONDS_BUCKETS,
            registry=self._own,
        )
        self.rejected_requests = self._counter(
            "rejected_requests_total", "Requests rejected before a route handled them.", ("reason",)
        )
        self.queue_depth = self._gauge("queue_depth", "Requests in progress.", "livesum")
        self._request_counters: dict[tuple[str, str, int], Counter] = {}
        self._request_timers: dict[str, Histogram] = {}

    def _add_forecast_metrics(self) -> None:
        self.predictions = self._counter(
            "predictions_total", "Fixtures forecast, by likeliest outcome.", ("outcome", "kind")
        )
        self.forecast_inputs = self._counter(
            "forecast_inputs_total", "Fixtures forecast, by what the forecast is based on.", ("inputs",)
        )
        self.prediction_probability = BulkHistogram(
            f"{PREFIX}prediction_probability",
            "Forecast probability of each outcome.",
            ("outcome",),
            buckets=PROBABILITIES,
            registry=self._own,
        )
        self.batch_size = Histogram(
            f"{PREFIX}batch_size", "Fixtures in one inference.", buckets=BATCH_SIZES, registry=self._own
        )
        self.inference_seconds = Histogram(
            f"{PREFIX}inference_seconds",
            "Time of one inference.",
            buckets=INFERENCE_SECONDS,
            registry=self._own,
        )
        # A series that starts at 0 shows its first increase.
        self._prediction_counters = {
            kind: tuple(self.predictions.labels(outcome, kind) for outcome in OUTCOMES) for kind in KINDS
        }
        self._tier_counters = {tier: self.forecast_inputs.labels(tier) for tier in TIERS}
        self._probabilities = tuple(self.prediction_probability.labels(outcome) for outcome in OUTCOMES)

    def _add_model_metrics(self) -> None:
        self.model_info = self._gauge(
            "model_info", "Processes that serve this version.", "livesum", ("version",)
        )
        self.model_load_failures = self._counter(
            "model_load_failures_total", "Versions that could not be loaded."
        )
        self.model_load_failing = self._gauge(
            "model_load_failing", "1 if a process could not load the configured version.", "livemax"
        )
        self._model_version: int | None = None

    # A gauge starts at 0, which these would report as 1970: they are created when a model is loaded.
    @cached_property
    def model_loaded(self) -> Gauge:
        """The time at which a process last loaded a version."""
        return self._gauge(
            "model_loaded_timestamp_seconds", "When a process last loaded a version.", "livemax"
        )

    @cached_property
    def model_as_of(self) -> Gauge:
        """The day of the last result that the served version knows."""
        return self._gauge(
            "model_as_of_timestamp_seconds",
            "Day of the last result known to the served version, for the process with the oldest.",
            "livemin",
        )

    @cached_property
    def model_registered(self) -> Gauge:
        """The time at which the served version was registered."""
        return self._gauge(
            "model_registered_timestamp_seconds",
            "When the served version was registered, for the process with the oldest.",
            "livemin",
        )

    def observe_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request.

        Parameters
        ----------
        route
            The path as declared (`/teams/{league}/{team}`), or one fixed word for a path that no route matches. Each
            value becomes a series that is never deleted, so it must not contain what a client sends.
        method
            HTTP method; unknown methods are counted as `other`.
        status
            Status of the answer.
        seconds
            Time from arrival to answer.
        """
        key = (route, method if method in METHODS else "other", status)
        counter = self._request_counters.get(key)
        if counter is None:
            counter = self._request_counters[key] = self.requests.labels(*key)
        timer = self._request_timers.get(route)
        if timer is None:
            timer = self._request_timers[route] = self.request_seconds.labels(route)
        counter.inc()
        timer.observe(seconds)

    def reject_request(self, reason: str) -> None:
        """Count a rejected request by one of a few fixed reasons (`saturated`, `too_large`, `unauthorized`)."""
        self.rejected_requests.labels(reason).inc()

    def observe_predictions(self, probabilities: np.ndarray, kind: str) -> None:
        """Count forecasts by likeliest outcome, and add to the distribution of each outcome's probability.

        The number of increments does not depend on the number of forecasts.

        Parameters
        ----------
        probabilities
            Of home win, draw and away win, finite: [n, 3].
        kind
            One of `KINDS`.
        """
        likeliest = np.bincount(probabilities.argmax(axis=1), minlength=len(OUTCOMES))
        for counter, forecasts in zip(self._prediction_counters[kind], likeliest.tolist(), strict=True):
            if forecasts:
                counter.inc(forecasts)
        # A bucket includes its upper bound; the last has none. One count for all outcomes: [3 * buckets].
        buckets = _PROBABILITY_BOUNDS.searchsorted(probabilities, side="left") + _OUTCOME_OFFSETS
        size = len(OUTCOMES) * (len(PROBABILITIES) + 1)
        counts = np.bincount(buckets.ravel(), minlength=size).reshape(len(OUTCOMES), -1).tolist()
        totals = probabilities.sum(axis=0, dtype=np.float64).tolist()
        for histogram, observations, total in zip(self._probabilities, counts, totals, strict=True):
            histogram.add(observations, total)

    def observe_inputs(self, forecasts: Mapping[str, int]) -> None:
        """Count forecasts by tier of input, one of `TIERS`."""
        for tier, count in forecasts.items():
            self._tier_counters[tier].inc(count)

    def observe_inference(self, fixtures: int, seconds: float) -> None:
        """Count one inference, by its number of fixtures and its time."""
        self.batch_size.observe(fixtures)
        self.inference_seconds.observe(seconds)

    def set_model(self, model_version: int, as_of: date, registered: datetime | None = None) -> None:
        """Record the version that this process serves from now on.

        Parameters
        ----------
        model_version
            Version of the registry.
        as_of
            Day of the last result it knows.
        registered
            When it was registered, if that is known.
        """
        if self._model_version not in (None, model_version):
            self.model_info.labels(self._model_version).set(0)
        self.model_info.labels(model_version).set(1)
        self._model_version = model_version
        self.model_loaded.set(time.time())
        self.model_as_of.set(datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC).timestamp())
        if registered is not None:
            self.model_registered.set(registered.timestamp())
        self.model_load_failing.set(0)

    def count_model_load_failure(self) -> None:
        """Record that this process could not load the configured version."""
        self.model_load_failures.inc()
        self.model_load_failing.set(1)

    def render(self) -> tuple[bytes, str]:
        """Render the metrics of all serving processes of this machine.

        It reads the files of every process: call it from a thread, not from an event loop.

        Returns
        -------
        bytes
            Prometheus' text format.
        str
            Its content type.
        """
        return generate_latest(self._rendered), CONTENT_TYPE_LATEST

    def _counter(self, name: str, documentation: str, labels: Iterable[str] = ()) -> Counter:
        return Counter(f"{PREFIX}{name}", documentation, labels, registry=self._own)

    def _gauge(
        self,
        name: str,
        documentation: str,
        mode: Literal["livesum", "livemax", "livemin", "livemostrecent"],
        labels: Iterable[str] = (),
    ) -> Gauge:
        return Gauge(f"{PREFIX}{name}", documentation, labels, registry=self._own, multiprocess_mode=mode)


def serving_metrics() -> ServingMetrics:
    """Return the metrics of this process, one object for all its threads."""
    global _metrics
    with _configuring:
        if _metrics is None:
            _metrics = ServingMetrics(_slot)
        return _metrics
