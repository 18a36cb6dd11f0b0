"""Which statuses of runs are final."""

import pytest
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter, job, op

from football_assets.orchestration.run_statuses import FINISHED_STATUSES, UNFINISHED_STATUSES


@op
def nothing() -> None:
    pass


@job
def idle() -> None:
    nothing()


def test_every_status_is_one_or_the_other() -> None:
    assert set(FINISHED_STATUSES) ^ set(UNFINISHED_STATUSES) == set(DagsterRunStatus)
    assert DagsterRunStatus.QUEUED in UNFINISHED_STATUSES


@pytest.mark.parametrize(
    "status",
    [
        status for status in DagsterRunStatus if status is not DagsterRunStatus.QUEUED
    ],  # a queued run needs an origin
)
def test_a_run_is_found_as_finished_exactly_if_dagster_says_so(status: DagsterRunStatus) -> None:
    with DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(job_def=idle, status=status)
        finished = instance.get_run_records(RunsFilter(statuses=FINISHED_STATUSES))
        unfinished = instance.get_run_records(RunsFilter(statuses=UNFINISHED_STATUSES))

    assert (len(finished), len(unfinished)) == ((1, 0) if run.is_finished else (0, 1))
