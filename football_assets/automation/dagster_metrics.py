"""Prometheus metrics of Dagster itself and of the promotion gate, read from their storage at each scrape.

Dagster has no such endpoint. Everything is a gauge of the present state, so the process that serves them may be
restarted, and may run anywhere that reaches the storage. `serve/monitoring/dagster_alerts.yml` has the alerts.
"""

import logging
import time
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from dagster import DagsterInstance, DagsterRunStatus, RunRecord, RunsFilter
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from football_assets.orchestration.run_statuses import FINISHED_STATUSES, UNFINISHED_STATUSES
from football_assets.registry.store import Registry
from football_assets.storage.bucket import Bucket

_log = logging.getLogger(__name__)

NAMESPACE = "football_dagster"
RECENT = timedelta(days=1)
MAX_RUNS = 1000  # of a day; older ones of it are not counted
FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "source_up": ("1 if these metrics' source could be read: heartbeats, ticks, runs or gate.", ("source",)),
    "daemon_heartbeat_age_seconds": ("Time since a daemon's last heartbeat.", ("daemon",)),
    "instigator_running": ("1 if a sensor or schedule is on.", ("type", "name")),
    "tick_timestamp_seconds": ("Start of the last tick of a sensor or schedule.", ("type", "name")),
    "tick_seconds": ("Duration of the last finished tick.", ("type", "name")),
    "tick_failed": ("1 if the last finished tick failed.", ("type", "name")),
    "runs_last_day": ("Runs that ended within a day, by status.", ("dagster_job", "status")),
    "last_success_timestamp_seconds": ("End of a job's last successful run.", ("dagster_job",)),
    "last_failure_timestamp_seconds": ("End of a job's last failed run.", ("dagster_job",)),
    "unfinished_run_age_seconds": ("Age of the oldest run that has not ended.", ("dagster_job", "status")),
    "production_version": ("Version that the alias `production` names; 0: none.", ()),
    "rejected_versions": ("Versions since production that the promotion gate rejected.", ()),
}
"""Documentation and labels of each family, by its name without the prefix."""


class DagsterCollector(Collector):
    """Reads runs, ticks and heartbeats of an instance, and the decisions of the promotion gate from a bucket.

    Parameters
    ----------
    instance
        Dagster's instance; its storage may be SQLite or PostgreSQL.
    bucket
        Has the model registry.
    defined
        Names of the sensors and schedules of the code location. Dagster's storage keeps removed ones as running. None:
        all are reported.
    """

    def __init__(
        self, instance: DagsterInstance, bucket: Bucket, defined: Container[str] | None = None
    ) -> None:
        self._instance, self._registry, self._defined = instance, Registry(bucket), defined

    def describe(self) -> Iterable[Metric]:
        """Return no metric, so that registering reads nothing."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of each source that can be read, and which can be."""
        up = _gauge("source_up")
        sources = {
            "heartbeats": self._heartbeats,
            "ticks": self._ticks,
            "runs": self._runs,
            "gate": self._gate,
        }
        now = time.time()
        for name, read in sources.items():
            try:
                metrics = list(read(now))
            except Exception:  # of any storage: the other sources are reported
                _log.exception("The source %r of Dagster's metrics cannot be read.", name)
                metrics = []
                up.add_metric([name], 0)
            else:
                up.add_metric([name], 1)
            yield from metrics
        yield up

    def _heartbeats(self, now: float) -> Iterator[Metric]:
        age = _gauge("daemon_heartbeat_age_seconds")
        for name, beat in self._instance.get_daemon_heartbeats().items():
            age.add_metric([name], max(0.0, now - beat.timestamp))
        yield age

    def _ticks(self, _: float) -> Iterator[Metric]:
        running = _gauge("instigator_running")
        last = _gauge("tick_timestamp_seconds")
        seconds = _gauge("tick_seconds")
        failed = _gauge("tick_failed")
        for state in self._instance.all_instigator_state():
            if self._defined is not None and state.instigator_name not in self._defined:
                continue
            values = [state.instigator_type.value.lower(), state.instigator_name]
            running.add_metric(values, float(state.is_running))
            ticks = self._instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=2)
            if ticks:
                last.add_metric(values, ticks[0].timestamp)
            ended = next((tick for tick in ticks if tick.end_timestamp), None)
            if ended is not None and ended.end_timestamp is not None:
                seconds.add_metric(values, ended.end_timestamp - ended.timestamp)
                failed.add_metric(values, float(ended.status.value == "FAILURE"))
        yield from (running, last, seconds, failed)

    def _runs(self, now: float) -> Iterator[Metric]:
        since = datetime.fromtimestamp(now, UTC) - RECENT
        recent = self._instance.get_run_records(
            RunsFilter(statuses=list(FINISHED_STATUSES), updated_after=since), limit=MAX_RUNS
        )
        ended = _gauge("runs_last_day")
        counts = Counter((one.dagster_run.job_name, one.dagster_run.status.value.lower()) for one in recent)
        for (job, status), count in counts.items():
            ended.add_metric([job, status], count)
        yield ended
        success = _gauge("last_success_timestamp_seconds")
        failure = _gauge("last_failure_timestamp_seconds")
        for job in sorted({one.dagster_run.job_name for one in recent}):
            for gauge, outcome in ((success, DagsterRunStatus.SUCCESS), (failure, DagsterRunStatus.FAILURE)):
                records = self._instance.get_run_records(
                    RunsFilter(job_name=job, statuses=[outcome]), limit=1
                )
                if records and records[0].end_time:
                    gauge.add_metric([job], records[0].end_time)
        yield from (success, failure)
        yield _oldest(
            self._instance.get_run_records(RunsFilter(statuses=list(UNFINISHED_STATUSES)), limit=MAX_RUNS),
            now,
        )

    def _gate(self, _: float) -> Iterator[Metric]:
        production = self._registry.aliases().get("production", 0)
        yield _value("production_version", production)
        rejected = [
            version
            for version in self._registry.versions()
            if version > production
            and (decision := self._registry.decision(version))
            and not decision["accepted"]
        ]
        yield _value("rejected_versions", len(rejected))


def _oldest(records: Iterable[RunRecord], now: float) -> Metric:
    """Return the age of the oldest unfinished run of each job and status."""
    ages: dict[tuple[str, str], float] = {}
    for record in records:
        key = (record.dagster_run.job_name, record.dagster_run.status.value.lower())
        began = record.start_time or record.create_timestamp.timestamp()
        ages[key] = max(ages.get(key, 0.0), now - began)
    gauge = _gauge("unfinished_run_age_seconds")
    for key, age in ages.items():
        gauge.add_metric(list(key), age)
    return gauge


def _gauge(name: str) -> GaugeMetricFamily:
    documentation, labels = FAMILIES[name]
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", documentation, labels=list(labels))


def _value(name: str, value: float) -> GaugeMetricFamily:
    gauge = _gauge(name)
    gauge.add_metric([], value)
    return gauge
