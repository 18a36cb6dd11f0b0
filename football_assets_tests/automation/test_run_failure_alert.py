"""A failed run in the log and at the webhook."""

import dagster as dg
import pytest

from football_assets.automation.run_failure_alert import run_failure_alert
from football_assets.automation.tags import REASON_TAG
from football_assets.errors import NotEnoughData
from football_assets.orchestration.dagster_private import WILL_RETRY_TAG
from football_assets.runtime.webhook import WebhookError
from football_assets_tests.builders.small_graph import QUIET
from football_assets_tests.builders.webhook_server import SECRET, Receiver


@dg.asset
def team_form() -> None:
    """Fails."""
    raise NotEnoughData("There are 3 matches: land more.\nMore of the same.")


@dg.asset
def team_ratings() -> None:
    """Does not."""


def alert_of_a_failed_run(instance: dg.DagsterInstance, **tags: str) -> str:
    """Run the graph and give its failure to the sensor; returns the run's id."""
    job = dg.Definitions(assets=[team_form, team_ratings]).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=instance, run_config=QUIET, tags=tags, raise_on_error=False)
    context = dg.build_run_status_sensor_context(
        sensor_name="run_failure_alert",
        dagster_event=result.get_run_failure_event(),
        dagster_instance=instance,
        dagster_run=result.dagster_run,
    ).for_run_failure()
    run_failure_alert(context)
    return result.run_id


def test_a_failed_run_is_told_to_the_webhook_with_step_and_cause(
    instance: dg.DagsterInstance, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_WEBHOOK_URL", receiver.url)

    run_id = alert_of_a_failed_run(instance, **{REASON_TAG: "2015-16: 3 objects"})

    ((_, _, message),) = receiver.received
    assert message.pop("text").startswith(f"Run {run_id} of __ASSET_JOB failed. team_form: ")
    assert message == {
        "event": "run_failed",
        "run_id": run_id,
        "job": "__ASSET_JOB",
        "failed_steps": ["team_form"],
        "reason": "2015-16: 3 objects",
        "is_retried": False,
    }


def test_the_alert_says_the_cause_in_one_line_and_whether_the_run_is_retried(
    instance: dg.DagsterInstance, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_WEBHOOK_URL", receiver.url)

    run_id = alert_of_a_failed_run(instance, **{WILL_RETRY_TAG: "true"})

    ((_, _, message),) = receiver.received
    assert message["is_retried"]
    assert message["text"] == (
        f"Run {run_id} of __ASSET_JOB failed and will be retried. team_form: There are 3 matches: land more."
    )


def test_without_a_webhook_the_alert_is_in_the_log(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FOOTBALL_WEBHOOK_URL", raising=False)

    run_id = alert_of_a_failed_run(instance)

    assert f"Run {run_id} of __ASSET_JOB failed. team_form" in capfd.readouterr().err


def test_a_webhook_that_refuses_fails_the_tick_and_its_address_appears_nowhere(
    instance: dg.DagsterInstance,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FOOTBALL_WEBHOOK_URL", receiver.url)
    receiver.statuses = [403]

    with pytest.raises(WebhookError, match="answered 403"):
        alert_of_a_failed_run(instance)

    assert "team_form" in capfd.readouterr().err
    assert SECRET not in "".join(capfd.readouterr())
