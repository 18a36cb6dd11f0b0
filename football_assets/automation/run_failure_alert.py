"""`run_failure_alert`: a run that failed is reported to the log and, where one is configured, to a webhook."""

from typing import Any

from dagster import DagsterRun, DefaultSensorStatus, RunFailureSensorContext, run_failure_sensor

from football_assets.automation.tags import REASON_TAG
from football_assets.orchestration.dagster_private import WILL_RETRY_TAG
from football_assets.settings import get_settings

_INTERVAL_SECONDS = 15
SHOWN_STEPS = 5
_CHARACTERS = 500


@run_failure_sensor(
    name="run_failure_alert",
    minimum_interval_seconds=_INTERVAL_SECONDS,
    default_status=DefaultSensorStatus.RUNNING,
    description="Reports a failed run to the log and to FOOTBALL_WEBHOOK_URL.",
)
def run_failure_alert(context: RunFailureSensorContext) -> None:
    """One failed run."""
    from football_assets.orchestration.in_process_runs import cause_of
    from football_assets.runtime.webhook import post_json

    failures = {}
    for event in context.get_step_failure_events():
        error = event.step_failure_data.error
        failures[event.step_key or ""] = cause_of(error) if error else "no error was recorded."
    message = alert(context.dagster_run, context.failure_event.message or "", failures)
    context.log.error(message["text"])
    webhook = get_settings().webhook_url
    if webhook is not None:
        post_json(webhook.get_secret_value(), message)


def alert(run: DagsterRun, problem: str, failures: dict[str, str]) -> dict[str, Any]:
    """Build the payload of the webhook. `text` is all of it in words; `run_id` identifies repeated deliveries.

    Parameters
    ----------
    problem
        What Dagster says of the run.
    failures
        The failed steps, with the cause of each.
    """
    steps = "; ".join(f"{step}: {cause}" for step, cause in list(failures.items())[:SHOWN_STEPS]) or problem
    again = run.tags.get(WILL_RETRY_TAG) == "true"
    return {
        "text": f"Run {run.run_id} of {run.job_name} failed{' and will be retried' if again else ''}. {steps}"[
            :_CHARACTERS
        ],
        "event": "run_failed",
        "run_id": run.run_id,
        "job": run.job_name,
        "failed_steps": sorted(failures),
        "reason": run.tags.get(REASON_TAG),
        "is_retried": again,
    }
