"""Schedules, in UTC."""

from dagster import DefaultScheduleStatus, ScheduleDefinition

from football_assets.automation.jobs import sync_results, watch_drift
from football_assets.automation.retention_job import prune_storage

nightly_drift_report = ScheduleDefinition(
    name="nightly_drift_report",
    job=watch_drift,
    cron_schedule="15 3 * * *",
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Compares the logged predictions with the training data of their model.",
)

daily_sync = ScheduleDefinition(
    name="daily_sync",
    job=sync_results,
    cron_schedule="40 5 * * *",
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.STOPPED,  # it calls the public sources
    description="Fetches current results. Off until switched on.",
)

daily_prune = ScheduleDefinition(
    name="daily_prune",
    job=prune_storage,
    cron_schedule="20 4 * * *",
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Removes objects, runs and files beyond the limits FOOTBALL_RETENTION_* that nothing uses.",
)

schedules = [nightly_drift_report, daily_sync, daily_prune]
