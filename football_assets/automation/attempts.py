"""Attempts at an event, read from the run storage: its finished runs, a run in progress, the next retry.

Sensors read the runs instead of their cursor: a cursor can be lost or reset, the runs remain.
"""

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import timedelta

from dagster import AssetKey, DagsterInstance, DagsterRun, DagsterRunStatus, RunRecord, RunsFilter

from football_assets.automation.tags import EVENT_TAG, TRAINS_TAG
from football_assets.orchestration.dagster_private import (
    AUTO_RETRY_RUN_ID_TAG,
    RUN_KEY_TAG,
    SENSOR_NAME_TAG,
    WILL_RETRY_TAG,
)
from football_assets.orchestration.run_launcher import PID_TAG
from football_assets.orchestration.run_statuses import FINISHED_STATUSES, UNFINISHED_STATUSES

MAX_ATTEMPTS = 3
PAUSES = (timedelta(minutes=1), timedelta(minutes=5))  # after the first and the second failure
LAUNCH_GRACE = timedelta(minutes=10)  # a run created longer ago and never started has lost its launcher

_NUMBER = re.compile(r"[-/](\d+)$")  # of an attempt, at the end of the run keys of all sensors
_ASSET_JOB = "__ASSET_JOB"  # Dagster's job of all assets, which the UI and the command line run


@dataclass(frozen=True)
class Attempts:
    """The finished runs of one event, the last first. An automatic retry is part of its attempt."""

    runs: tuple[RunRecord, ...]

    @property
    def count(self) -> int:
        """Attempts so far."""
        return sum(record.dagster_run.parent_run_id is None for record in self.runs)

    @property
    def number(self) -> int:
        """Number of the next attempt in its run key: that of no earlier run, since some runs may have been removed."""
        found = (_NUMBER.search(record.dagster_run.tags.get(RUN_KEY_TAG, "")) for record in self.runs)
        return max([self.count, *(int(number[1]) + 1 for number in found if number)])

    def obstacle(self, now: float) -> str | None:
        """Return why a further attempt is not allowed at a time in Unix seconds, or None if it is."""
        if not self.runs:
            return None
        last = self.runs[0]
        run, ended = last.dagster_run, ended_at(last)
        if run.status is DagsterRunStatus.CANCELED:
            return f"Run {run.run_id} was cancelled: a change starts the next attempt."
        if _will_be_retried(run) and now - ended < LAUNCH_GRACE.total_seconds():
            return f"Run {run.run_id} failed, and Dagster is about to retry it."
        if self.count >= MAX_ATTEMPTS:
            return (
                f"{self.count} attempts failed, the last is run {run.run_id}: see its log. The next change starts a "
                "new attempt, or launch the job by hand."
            )
        wait = ended + PAUSES[min(self.count, len(PAUSES)) - 1].total_seconds() - now
        if wait > 0:
            return f"Run {run.run_id} did not succeed: next attempt in {wait:.0f} s."
        return None


def attempts_at(instance: DagsterInstance, event: str, *also: str) -> Attempts:
    """Read the finished runs of an event.

    Parameters
    ----------
    also
        Ids of runs that count as attempts without the tag of the event.
    """
    records = list(instance.get_run_records(RunsFilter(tags={EVENT_TAG: event}, statuses=FINISHED_STATUSES)))
    if also:
        records += instance.get_run_records(RunsFilter(run_ids=list(also), statuses=FINISHED_STATUSES))
    return Attempts(tuple(sorted(records, key=ended_at, reverse=True)))


def run_under_way(
    instance: DagsterInstance, keys: Set[AssetKey], now: float, sensor_name: str
) -> DagsterRun | None:
    """Find a queued or running run that trains or materializes one of the assets, whatever launched it.

    A run that this sensor requested and that was never queued does not count: the sensor repeats the request with the
    same run key, and Dagster queues that run.
    """
    records = instance.get_run_records(RunsFilter(statuses=UNFINISHED_STATUSES))
    runs = [
        record.dagster_run
        for record in records
        if _will_end(record, now, sensor_name) and _makes(record, keys)
    ]
    if any(
        run.tags.get(PID_TAG) for run in runs
    ):  # a run of the command line, whose process may have been killed
        from football_assets.orchestration.in_process_runs import fail_abandoned_runs

        fail_abandoned_runs(instance)
        alive = instance.get_runs(RunsFilter(run_ids=[run.run_id for run in runs]))
        runs = [run for run in alive if not run.is_finished]
    return runs[0] if runs else None


def ended_at(record: RunRecord) -> float:
    """Return when a run ended, in Unix seconds."""
    return record.end_time or record.update_timestamp.timestamp()


def _will_end(record: RunRecord, now: float, sensor_name: str) -> bool:
    run = record.dagster_run
    if run.status is not DagsterRunStatus.NOT_STARTED:
        return True
    if run.tags.get(SENSOR_NAME_TAG) == sensor_name:
        return False
    return now - record.create_timestamp.timestamp() < LAUNCH_GRACE.total_seconds()


def _makes(record: RunRecord, keys: Iterable[AssetKey]) -> bool:
    run = record.dagster_run
    if TRAINS_TAG in run.tags:
        return True
    if run.asset_selection is None:
        return run.job_name == _ASSET_JOB
    return not run.asset_selection.isdisjoint(keys)


def _will_be_retried(run: DagsterRun) -> bool:
    return run.tags.get(WILL_RETRY_TAG) == "true" and AUTO_RETRY_RUN_ID_TAG not in run.tags
