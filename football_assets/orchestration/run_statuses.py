"""Statuses of runs that are over, and of runs that are not."""

from dagster import DagsterRunStatus

FINISHED_STATUSES = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
UNFINISHED_STATUSES = tuple(status for status in DagsterRunStatus if status not in FINISHED_STATUSES)
