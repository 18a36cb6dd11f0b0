"""`drift_sensor`: requests a training when the drift report finds drift, or the model lacks many days of results.

At most one training per window of days succeeds. A report of predictions that are older than the newest version
requests none; a version that is corrupt, or not signed where signatures are verified, does not count. The run key
identifies the report, so a report requests a training once. If production lacks results that another version was
trained on, as after a rollback or a rejection by the gate, no training is requested: it would rebuild that version.
"""

import time
from datetime import UTC, datetime, timedelta

from dagster import (
    AssetKey,
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRequest,
    RunsFilter,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)

from football_assets.automation.attempts import Attempts, ended_at
from football_assets.automation.backfills import work_in_progress
from football_assets.automation.jobs import retrain
from football_assets.automation.tags import EVENT_TAG, reason_tag
from football_assets.monitoring.summary import DriftSummary, load_summary
from football_assets.orchestration.resources import BucketResource
from football_assets.orchestration.run_statuses import FINISHED_STATUSES
from football_assets.registry.store import Registry
from football_assets.settings import Settings, get_settings
from football_assets.storage.bucket import Bucket

NAME = "drift_sensor"
_INTERVAL_SECONDS = 20


@sensor(
    name=NAME,
    job=retrain,
    minimum_interval_seconds=_INTERVAL_SECONDS,
    default_status=DefaultSensorStatus.RUNNING,
    description="Requests a training when the latest drift report finds drift or the production model is out of date.",
)
def drift_sensor(context: SensorEvaluationContext, bucket: BucketResource) -> RunRequest | SkipReason:
    """Evaluate one tick."""
    return evaluate_drift(context.instance, bucket.open(), get_settings(), time.time())


def evaluate_drift(
    instance: DagsterInstance, bucket: Bucket, settings: Settings, now: float
) -> RunRequest | SkipReason:
    """Return the run request, or why there is none, at a time in Unix seconds."""
    summary = load_summary(bucket)
    if summary is None:
        return SkipReason("There is no drift report yet.")
    reasons = reasons_to_retrain(summary, settings.model_max_age_days)
    if not reasons:
        return SkipReason(f"The report of {summary.made_at:%Y-%m-%d %H:%M} UTC is {summary.status}.")
    why = "; ".join(reasons)
    newer = _version_since(Registry(bucket), summary.window_end)
    if newer is not None:
        return SkipReason(f"Version {newer} was published after the logged predictions: {why}.")
    busy = work_in_progress(instance, {AssetKey("raw_matches"), AssetKey("trained_lstm")}, now, NAME)
    if busy is not None:
        return SkipReason(f"Waiting for {busy}: {why}.")
    attempts = _retrainings_since(
        instance, now - timedelta(days=settings.retrain_window_days).total_seconds()
    )
    for record in attempts.runs:
        if record.dagster_run.status is DagsterRunStatus.SUCCESS:
            ended = datetime.fromtimestamp(ended_at(record), UTC)
            return SkipReason(
                f"Run {record.dagster_run.run_id} trained at {ended:%Y-%m-%d %H:%M} UTC, and at most one training is "
                f"launched in {settings.retrain_window_days:g} days: {why}."
            )
    obstacle = attempts.obstacle(now)
    if obstacle is not None:
        return SkipReason(f"{why}. {obstacle}")
    event = f"drift-{summary.made_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    return RunRequest(run_key=f"{event}-{attempts.number}", tags={EVENT_TAG: event, **reason_tag(why)})


def reasons_to_retrain(summary: DriftSummary, max_age_days: float) -> list[str]:
    """List the reasons to train a model; empty if there is none."""
    reasons = [*(summary.reasons or ["drift"])] if summary.status == "drift" else []
    unlearnt = summary.unlearnt_days
    if unlearnt is not None and unlearnt > max_age_days:
        reasons.append(f"version {summary.model_version} lacks {summary.model_age_days} days of results")
    return reasons


def _version_since(registry: Registry, moment: datetime) -> int | None:
    """Return the newest version that is not rejected, if it was published after a moment.

    An altered manifest with a time in the future would keep the sensor from requesting any training.

    Raises
    ------
    SignaturePolicyError
        Signatures are verified, and this process cannot.
    """
    newest = next(registry.newest_first(lambda version: version.manifest.published), None)
    return newest[0] if newest is not None and newest[1] > moment else None


def _retrainings_since(instance: DagsterInstance, moment: float) -> Attempts:
    filters = RunsFilter(
        job_name=retrain.name, statuses=FINISHED_STATUSES, created_after=datetime.fromtimestamp(moment, UTC)
    )
    return Attempts(tuple(sorted(instance.get_run_records(filters), key=ended_at, reverse=True)))
