"""Prometheus metrics of the serving processes of a machine: each records its own, any renders the totals of all.

`prometheus_client` in its multiprocess mode keeps a process's values in files mapped into memory, so a killed process
leaves its counts behind. It names the files by process id: they pile up, and an id given again mixes two processes.
Here they are named by a slot. A process holds the lock of the lowest free slot for as long as it lives and carries on
the counts of the slot's former holder. So there are as many files as processes ever ran at once, and the live gauges
of a slot whose lock is free are dropped.
"""

import fcntl
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from football_assets.errors import FootballError

OUTCOMES = ("home", "draw", "away")
KINDS = ("predict", "batch", "sequences")
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

REQUEST_SECONDS = (
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

# Names the folder to every part of prometheus_client; a container image may set it.
_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "football_"


class MetricsError(FootballError):
    """The folder of the metrics cannot be used as asked."""


def configure_directory(folder: Path) -> Path:
    """Keep the metrics of this process in files of a folder that the machine's other serving processes share.

    Call it before the first use of `serving_metrics`; without it, a process counts for itself alone.

    Parameters
    ----------
    folder
        A folder on a local disk or in memory, made if it is missing. PROMETHEUS_MULTIPROC_DIR, where set, wins, and
        so does an earlier call.

    Returns
    -------
    Path
        The folder in use.

    Raises
    ------
    MetricsError
        This process already counts for itself.
    """
    global _slot
    with _configuring:
        if _slot is None:
            if _metrics is not None:
                raise MetricsError("Metrics of this process are in use: configure their directory first.")
            folder = Path(os.environ.get(_FOLDER_VARIABLE) or folder).resolve()
            os.environ[_FOLDER_VARIABLE] = str(folder)
            _slot = _Slot(folder)
            # Metrics look this class up when they are made, whoever imported the package before.
            values.ValueClass = values.MultiProcessValue(process_identifier=_slot.number)  # type: ignore[misc]
        return _slot.folder


def clear_directory(folder: Path) -> None:
    """Forget the counts of former processes. The launcher calls it while no serving process runs.

    Raises
    ------
    MetricsError
        A process still keeps its metrics there; nothing was removed.
    """
    folder = Path(os.environ.get(_FOLDER_VARIABLE) or folder)
    if running := [lock.name for lock in _locks(folder) if _is_held(lock)]:
        raise MetricsError(
            f"{folder} holds the metrics of {len(running)} running processes: stop them first."
        )
    for file in (*folder.glob("*.db"), *_locks(folder)):
        file.unlink(missing_ok=True)


class ServingMetrics:
    """Every metric of a serving process. Its methods are called for each request and may be called from any thread."""

    def __init__(self, slot: "_Slot | None" = None) -> None:
        """Start all counts; `slot` is what this process holds of the shared folder, None if it counts for itself."""
        self._slot = slot
        self._own = CollectorRegistry()
        self._rendered = CollectorRegistry()
        self._rendered.register(_MachineCollector(self._own, slot))

        self.requests = self._counter("requests_total", "Requests answered.", ("route", "method", "status"))
        self.request_seconds = Histogram(
            f"{_PREFIX}request_seconds",
            "Time from a request's arrival in the process to its answer.",
            ("route",),
            buckets=REQUEST_SECONDS,
            registry=self._own,
        )
        self.rejected_requests = self._counter(
            "rejected_requests_total", "Requests refused before a route saw them.", ("reason",)
        )
        self.queue_depth = self._gauge("queue_depth", "Requests accepted and not answered yet.", "livesum")

        self.predictions = self._counter(
            "predictions_total", "Fixtures forecast, by likeliest outcome.", ("outcome", "kind")
        )
        self.prediction_probability = BulkHistogram(
            f"{_PREFIX}prediction_probability",
            "Forecast probability of each outcome.",
            ("outcome",),
            buckets=PROBABILITIES,
            registry=self._own,
        )
        self.batch_size = Histogram(
            f"{_PREFIX}batch_size", "Fixtures in one inference.", buckets=BATCH_SIZES, registry=self._own
        )
        self.inference_seconds = Histogram(
            f"{_PREFIX}inference_seconds",
            "Time of one inference.",
            buckets=INFERENCE_SECONDS,
            registry=self._own,
        )

        self.model_info = self._gauge(
            "model_info", "Processes that serve this version.", "livesum", ("version",)
        )
        self.model_load_failures = self._counter(
            "model_load_failures_total", "Versions that could not be loaded."
        )
        self.model_load_failing = self._gauge(
            "model_load_failing", "1 if a process could not load the version it was told to serve.", "livemax"
        )

        self.prediction_log_bytes = self._counter(
            "prediction_log_bytes_total", "Bytes written to the prediction log."
        )
        self.prediction_log_failures = self._counter(
            "prediction_log_failures_total", "Batches of records that could not be written or uploaded."
        )

        self._request_counters: dict[tuple[str, str, int], Counter] = {}
        self._request_timers: dict[str, Histogram] = {}
        # A series that starts at 0 shows its first increase.
        self._prediction_counters = {
            kind: tuple(self.predictions.labels(outcome, kind) for outcome in OUTCOMES) for kind in KINDS
        }
        self._probabilities = tuple(self.prediction_probability.labels(outcome) for outcome in OUTCOMES)
        self._version: int | None = None

    # A gauge starts at 0, which these would report as 1970: they exist once a model is loaded.
    @cached_property
    def model_loaded(self) -> Gauge:
        return self._gauge(
            "model_loaded_timestamp_seconds", "When a process last took up a version.", "livemax"
        )

    @cached_property
    def model_as_of(self) -> Gauge:
        return self._gauge(
            "model_as_of_timestamp_seconds",
            "Day of the last result that the served version knows, of the process that is furthest behind.",
            "livemin",
        )

    @cached_property
    def model_registered(self) -> Gauge:
        return self._gauge(
            "model_registered_timestamp_seconds",
            "When the served version was registered, of the process that is furthest behind.",
            "livemin",
        )

    @cached_property
    def drift_share(self) -> Gauge:
        return self._gauge(
            "drift_share",
            "Share of inputs and forecasts distributed unlike those of the training, of the latest drift report.",
            "livemostrecent",
        )

    @cached_property
    def live_log_loss(self) -> Gauge:
        return self._gauge(
            "live_log_loss",
            "Log loss of forecasts whose result is known, of the latest drift report.",
            "livemostrecent",
        )

    def observe_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request.

        Parameters
        ----------
        route
            The path as declared (`/teams/{league}/{team}`), one fixed word for a path that no route matches: each
            value is a series of its own for ever, so what a client sends must not reach it.
        method
            HTTP method; unknown ones count as `other`.
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
        """Count a request refused for one of a few fixed reasons (`saturated`, `too_large`, `unauthorized`)."""
        self.rejected_requests.labels(reason).inc()

    def observe_predictions(self, probabilities: np.ndarray, kind: str) -> None:
        """Count forecasts: the likeliest outcome of each, and the distribution of each outcome's probability.

        Costs a fixed number of increments, however many forecasts there are.

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

    def observe_inference(self, fixtures: int, seconds: float) -> None:
        """Count one inference of so many fixtures."""
        self.batch_size.observe(fixtures)
        self.inference_seconds.observe(seconds)

    def take_up_model(self, version: int, as_of: date, registered: datetime | None = None) -> None:
        """Note the version that this process serves from now on.

        Parameters
        ----------
        version
            Version of the registry.
        as_of
            Day of the last result it knows.
        registered
            When it was registered, if that is known.
        """
        if self._version not in (None, version):
            self.model_info.labels(self._version).set(0)
        self.model_info.labels(version).set(1)
        self._version = version
        self.model_loaded.set(time.time())
        self.model_as_of.set(datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC).timestamp())
        if registered is not None:
            self.model_registered.set(registered.timestamp())
        self.model_load_failing.set(0)

    def fail_model_load(self) -> None:
        """Note that this process could not load the version it was told to serve."""
        self.model_load_failures.inc()
        self.model_load_failing.set(1)

    def note_drift(self, drift_share: float | None, live_log_loss: float | None) -> None:
        """Note what the latest drift report found; None: it could not tell, which is NaN where it once could."""
        if drift_share is not None or "drift_share" in self.__dict__:
            self.drift_share.set(math.nan if drift_share is None else drift_share)
        if live_log_loss is not None or "live_log_loss" in self.__dict__:
            self.live_log_loss.set(math.nan if live_log_loss is None else live_log_loss)

    def render(self) -> tuple[bytes, str]:
        """The metrics of all serving processes of this machine in Prometheus' text format, and its content type.

        Reads the files of every process: call it from a thread, not from an event loop.
        """
        return generate_latest(self._rendered), CONTENT_TYPE_LATEST

    def _counter(self, name: str, documentation: str, labels: Iterable[str] = ()) -> Counter:
        return Counter(f"{_PREFIX}{name}", documentation, labels, registry=self._own)

    def _gauge(
        self,
        name: str,
        documentation: str,
        mode: Literal["livesum", "livemax", "livemin", "livemostrecent"],
        labels: Iterable[str] = (),
    ) -> Gauge:
        return Gauge(f"{_PREFIX}{name}", documentation, labels, registry=self._own, multiprocess_mode=mode)


def serving_metrics() -> ServingMetrics:
    """The metrics of this process, one object for all its threads."""
    global _metrics
    with _configuring:
        if _metrics is None:
            _metrics = ServingMetrics(_slot)
        return _metrics


class BulkHistogram(Histogram):
    """A histogram that takes counts for observations.

    The package offers nothing for this, so it adds to the values that `observe` adds to: `_sum`, and `_buckets`, which
    are not cumulative. A test compares it with `observe`.
    """

    def add(self, observations: list[int], total: float) -> None:
        """Add so many observations to each bucket, the one without an upper bound included; `total` is their sum."""
        for bucket, number in zip(self._buckets, observations, strict=True):
            if number:
                bucket.inc(number)
        self._sum.inc(total)


class _Slot:
    """The slot of the folder that this process holds until it ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._claiming = Lock()
        self._claim()
        os.register_at_fork(after_in_child=self._leave_to_parent)

    def number(self) -> int:
        """Number of the slot. A forked child claims its own at its first metric."""
        if self._number is None:
            with self._claiming:
                return self._claim() if self._number is None else self._number
        return self._number

    def _claim(self) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        number = 0
        while (lock := _try_lock(self.folder / f"slot_{number}.lock")) is None:
            number += 1
        _drop_live_gauges(self.folder, number)
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        self._number: int | None = number
        self._lock = lock
        return number

    def _leave_to_parent(self) -> None:
        # Closing this process's copy of the descriptor leaves the lock to the parent's.
        if self._number is not None:
            os.close(self._lock)
        self._number, self._claiming = None, Lock()


_configuring = Lock()
_slot: _Slot | None = None
_metrics: ServingMetrics | None = None


class _MachineCollector(Collector):
    """The metrics of this process, or of all that share its folder, and what the system knows of those processes."""

    def __init__(self, own: CollectorRegistry, slot: _Slot | None) -> None:
        self._own, self._slot = own, slot

    def collect(self) -> Iterator[Metric]:
        if self._slot is None:
            yield from self._own.collect()
            yield from _process_gauges([os.getpid()])
            return
        folder = self._slot.folder
        processes = []
        for lock in _locks(folder):
            if _is_held(lock, if_free=lambda number: _drop_live_gauges(folder, number)):
                processes.append(int(lock.read_text(encoding="ascii") or 0))
        for metric in MultiProcessCollector.merge(_value_files(folder)):
            if metric.name.startswith(_PREFIX):
                yield metric
        yield from _process_gauges(processes)

    def describe(self) -> Iterable[Metric]:
        return []


def _process_gauges(processes: list[int]) -> Iterator[Metric]:
    yield GaugeMetricFamily(f"{_PREFIX}processes", "Serving processes that run.", len(processes))
    yield GaugeMetricFamily(
        f"{_PREFIX}resident_memory_bytes",
        "Memory of the serving processes, shared pages counted in each.",
        sum(_resident_bytes(process) for process in processes),
    )


def _resident_bytes(process: int) -> int:
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended since its lock was looked at
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _locks(folder: Path) -> list[Path]:
    return sorted(folder.glob("slot_*.lock"))


def _value_files(folder: Path) -> list[str]:
    """Files with values. One that another process just made is still empty, or was just dropped by another."""
    files = []
    for file in folder.glob("*.db"):
        with suppress(FileNotFoundError):
            if file.stat().st_size:
                files.append(str(file))
    return files


def _try_lock(file: Path) -> int | None:
    """Descriptor that holds the file's lock, None if another process does."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _is_held(lock: Path, if_free: Callable[[int], None] = lambda number: None) -> bool:
    """Whether a process holds the slot; if none does, `if_free` runs on its number before any can."""
    with lock.open("rb") as file:
        try:
            # Shared, so that two processes that look at once do not take each other for the holder.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        if_free(int(lock.stem.removeprefix("slot_")))
        return False


def _drop_live_gauges(folder: Path, number: int) -> None:
    for file in folder.glob(f"gauge_live*_{number}.db"):
        file.unlink(missing_ok=True)
