"""Which runs are attempts at an event, when the next one is allowed, and which runs a sensor waits for."""

import os
import socket
import time
from collections.abc import Mapping
from typing import Any

import pytest
from dagster import AssetKey, DagsterInstance, DagsterRun, DagsterRunStatus, RunRecord

from football_assets.automation.attempts import (
    LAUNCH_GRACE,
    MAX_ATTEMPTS,
    PAUSES,
    Attempts,
    attempts_at,
    ended_at,
    run_under_way,
)
from football_assets.automation.tags import EVENT_TAG, TRAINS_TAG
from football_assets.orchestration.dagster_private import (
    AUTO_RETRY_RUN_ID_TAG,
    RUN_KEY_TAG,
    SENSOR_NAME_TAG,
    WILL_RETRY_TAG,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from football_assets.orchestration.run_launcher import HOST_TAG, PID_TAG
from football_assets.orchestration.run_statuses import FINISHED_STATUSES, UNFINISHED_STATUSES
from football_assets_tests.builders.dagster_private import (
    InProcessCodeLocationOrigin,
    LoadableTargetOrigin,
    create_run_for_test,
)

EVENT = "landing-1"
SENSOR = "a_sensor"
TRAINED = frozenset({AssetKey("trained_lstm"), AssetKey("raw_matches")})
LOCATION = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="football_assets.definitions"))
JOB = RemoteJobOrigin(RemoteRepositoryOrigin(LOCATION, "__repository__"), "retrain")  # a queued run names it
NO_PROCESS = "999999999"  # above the highest PID of Linux and macOS


def end(
    instance: DagsterInstance,
    status: DagsterRunStatus = DagsterRunStatus.FAILURE,
    event: str | None = EVENT,
    retry_of: DagsterRun | None = None,
    tags: Mapping[str, str] | None = None,
) -> DagsterRun:
    """A run of an event that has ended now."""
    parent = None if retry_of is None else retry_of.run_id
    run = create_run_for_test(
        instance,
        status=DagsterRunStatus.STARTED,
        tags={**(tags or {}), **({} if event is None else {EVENT_TAG: event})},
        parent_run_id=parent,
        root_run_id=parent,
    )
    if status is DagsterRunStatus.FAILURE:
        instance.report_run_failed(run)
    elif status is DagsterRunStatus.CANCELED:
        instance.report_run_canceled(run)
    return run


def ids(attempts: Attempts) -> list[str]:
    return [record.dagster_run.run_id for record in attempts.runs]


def last_end(attempts: Attempts) -> float:
    return ended_at(attempts.runs[0])


def obstacle(attempts: Attempts, after: float) -> str | None:
    """What keeps the next attempt from being launched, so many seconds after the end of the last."""
    return attempts.obstacle(last_end(attempts) + after)


def test_the_attempts_at_an_event_are_its_finished_runs_the_last_first(instance: DagsterInstance) -> None:
    first = end(instance)
    end(instance, event="landing-2")
    end(instance, event=None)
    second = end(instance, DagsterRunStatus.CANCELED)
    create_run_for_test(instance, status=DagsterRunStatus.STARTED, tags={EVENT_TAG: EVENT})

    attempts = attempts_at(instance, EVENT)

    assert ids(attempts) == [second.run_id, first.run_id]
    assert attempts.count == 2


def test_the_next_attempt_has_a_number_that_no_run_has_though_earlier_runs_were_removed(
    instance: DagsterInstance,
) -> None:
    numbers = []
    for separator in ("-", "/", "-"):
        numbers.append(attempts_at(instance, EVENT).number)
        last = end(instance, tags={RUN_KEY_TAG: f"{EVENT}{separator}{numbers[-1]}"})
    retry = end(instance, retry_of=last, tags={RUN_KEY_TAG: f"{EVENT}-{numbers[-1]}"})
    assert numbers == [0, 1, 2]

    for record in attempts_at(instance, EVENT).runs:
        if record.dagster_run.run_id not in (last.run_id, retry.run_id):
            instance.delete_run(record.dagster_run.run_id)

    attempts = attempts_at(instance, EVENT)
    assert (attempts.count, attempts.number) == (1, 3)


@pytest.mark.parametrize("status", list(DagsterRunStatus))
def test_a_run_is_an_attempt_once_it_is_over(instance: DagsterInstance, status: DagsterRunStatus) -> None:
    create_run_for_test(instance, status=status, tags={EVENT_TAG: EVENT}, remote_job_origin=JOB)

    assert attempts_at(instance, EVENT).count == (1 if status in FINISHED_STATUSES else 0)


def test_the_order_is_that_of_the_ends_and_not_of_the_launches(instance: DagsterInstance) -> None:
    slow, quick = (
        create_run_for_test(instance, status=DagsterRunStatus.STARTED, tags={EVENT_TAG: EVENT})
        for _ in range(2)
    )
    instance.report_run_failed(quick)
    instance.report_run_failed(slow)

    assert ids(attempts_at(instance, EVENT)) == [slow.run_id, quick.run_id]


def test_named_runs_without_the_tag_count_once_they_are_over(instance: DagsterInstance) -> None:
    tagged = end(instance)
    by_hand = end(instance, event=None)
    running = create_run_for_test(instance, status=DagsterRunStatus.STARTED)

    attempts = attempts_at(instance, EVENT, by_hand.run_id, running.run_id)

    assert ids(attempts) == [by_hand.run_id, tagged.run_id]
    assert ids(attempts_at(instance, EVENT)) == [tagged.run_id]


def test_a_new_event_starts_without_attempts(instance: DagsterInstance) -> None:
    for _ in range(MAX_ATTEMPTS):
        end(instance)

    attempts = attempts_at(instance, "landing-2")

    assert (attempts.runs, attempts.count, attempts.obstacle(time.time())) == ((), 0, None)


def test_a_retry_by_dagster_is_part_of_its_attempt(instance: DagsterInstance) -> None:
    first = end(instance)
    retry = end(instance, retry_of=first)
    second = end(instance)

    attempts = attempts_at(instance, EVENT)

    assert ids(attempts) == [second.run_id, retry.run_id, first.run_id]
    assert attempts.count == 2


@pytest.mark.parametrize(("failures", "seconds"), [(1, 60), (2, 300)])
def test_the_next_attempt_waits_longer_after_each_failure(
    instance: DagsterInstance, failures: int, seconds: int
) -> None:
    assert [pause.total_seconds() for pause in PAUSES] == [60, 300]
    *_, last = [end(instance) for _ in range(failures)]
    attempts = attempts_at(instance, EVENT)

    assert obstacle(attempts, 0) == f"Run {last.run_id} did not succeed: next attempt in {seconds} s."
    assert obstacle(attempts, seconds - 1) == f"Run {last.run_id} did not succeed: next attempt in 1 s."
    assert obstacle(attempts, seconds + 0.001) is None


def test_after_three_failures_only_a_change_or_a_person_starts_another(instance: DagsterInstance) -> None:
    *_, last = [end(instance) for _ in range(3)]

    assert obstacle(attempts_at(instance, EVENT), 1e9) == (
        f"3 attempts failed, the last is run {last.run_id}: see its log. The next change starts a new attempt, or "
        "launch the job by hand."
    )


def test_a_cancelled_run_starts_no_other_however_long_ago(instance: DagsterInstance) -> None:
    run = end(instance, DagsterRunStatus.CANCELED)

    for after in (0, 1e9):
        assert obstacle(attempts_at(instance, EVENT), after) == (
            f"Run {run.run_id} was cancelled: a change starts the next attempt."
        )


def test_a_failure_after_a_cancelled_run_is_the_one_that_counts(instance: DagsterInstance) -> None:
    end(instance, DagsterRunStatus.CANCELED)
    failed = end(instance)
    attempts = attempts_at(instance, EVENT)

    assert obstacle(attempts, 299) == f"Run {failed.run_id} did not succeed: next attempt in 1 s."
    assert obstacle(attempts, 301) is None


def test_a_run_that_dagster_is_about_to_retry_is_left_to_it_for_a_while(instance: DagsterInstance) -> None:
    run = end(instance, tags={WILL_RETRY_TAG: "true"})
    attempts = attempts_at(instance, EVENT)

    grace = LAUNCH_GRACE.total_seconds()
    assert grace == 600
    for after in (0.0, 61.0, grace - 1):
        assert obstacle(attempts, after) == f"Run {run.run_id} failed, and Dagster is about to retry it."
    assert obstacle(attempts, grace + 1) is None


@pytest.mark.parametrize(
    "tags", [{WILL_RETRY_TAG: "false"}, {WILL_RETRY_TAG: "true", AUTO_RETRY_RUN_ID_TAG: "the retry"}]
)
def test_a_run_that_dagster_does_not_retry_or_has_retried_is_followed_by_the_usual_pause(
    instance: DagsterInstance, tags: dict[str, str]
) -> None:
    run = end(instance, tags=tags)

    assert obstacle(attempts_at(instance, EVENT), 59) == (
        f"Run {run.run_id} did not succeed: next attempt in 1 s."
    )


def record_of(instance: DagsterInstance, run: DagsterRun) -> RunRecord:
    record = instance.get_run_record_by_id(run.run_id)
    assert record is not None
    return record


def test_the_end_of_a_run_does_not_move_with_its_record(instance: DagsterInstance) -> None:
    before = time.time()
    run = end(instance)
    after = time.time()
    instance.add_run_tags(run.run_id, {"a": "b"})

    assert before <= ended_at(record_of(instance, run)) <= after
    assert ended_at(record_of(instance, run)) == record_of(instance, run).end_time


def test_a_run_without_an_end_time_ended_when_its_record_was_written(instance: DagsterInstance) -> None:
    record = record_of(instance, create_run_for_test(instance, status=DagsterRunStatus.FAILURE))

    assert record.end_time is None
    assert ended_at(record) == record.update_timestamp.timestamp()


def start(
    instance: DagsterInstance,
    *assets: str,
    status: DagsterRunStatus = DagsterRunStatus.STARTED,
    **values: Any,
) -> DagsterRun:
    """A run of some assets, or of its whole job."""
    selection = frozenset(map(AssetKey, assets)) or None
    return create_run_for_test(
        instance, status=status, asset_selection=selection, remote_job_origin=JOB, **values
    )


def found(instance: DagsterInstance, after: float = 0) -> str | None:
    """Id of the run that the sensor waits for, some seconds from now."""
    run = run_under_way(instance, TRAINED, time.time() + after, SENSOR)
    return None if run is None else run.run_id


@pytest.mark.parametrize("status", list(DagsterRunStatus))
def test_a_run_is_waited_for_until_it_is_over(instance: DagsterInstance, status: DagsterRunStatus) -> None:
    run = start(instance, "sweep", "trained_lstm", status=status)

    assert found(instance) == (run.run_id if status in UNFINISHED_STATUSES else None)


@pytest.mark.parametrize(
    ("assets", "values", "waits"),
    [
        (("raw_matches",), {}, True),
        (("sweep", "backtest"), {}, False),
        (("backtest",), {"tags": {TRAINS_TAG: "true"}}, True),
        ((), {"job_name": "__ASSET_JOB"}, True),
        ((), {"job_name": "sync_results"}, False),
        ((), {"job_name": "retrain", "tags": {TRAINS_TAG: "true"}}, True),
    ],
)
def test_a_run_is_waited_for_if_it_trains_or_materializes_one_of_the_assets(
    instance: DagsterInstance, assets: tuple[str, ...], values: dict[str, Any], waits: bool
) -> None:
    run = start(instance, *assets, **values)

    assert found(instance) == (run.run_id if waits else None)


def test_a_request_of_the_sensor_that_was_never_queued_is_not_waited_for(instance: DagsterInstance) -> None:
    created = DagsterRunStatus.NOT_STARTED
    start(instance, "trained_lstm", status=created, tags={SENSOR_NAME_TAG: SENSOR})
    assert found(instance) is None

    queued = start(instance, "trained_lstm", status=DagsterRunStatus.QUEUED, tags={SENSOR_NAME_TAG: SENSOR})
    assert found(instance) == queued.run_id


@pytest.mark.parametrize("tags", [{}, {SENSOR_NAME_TAG: "another_sensor"}])
def test_a_run_of_another_that_was_never_queued_is_waited_for_ten_minutes(
    instance: DagsterInstance, tags: dict[str, str]
) -> None:
    run = start(instance, "trained_lstm", status=DagsterRunStatus.NOT_STARTED, tags=tags)

    assert found(instance, after=590) == run.run_id
    assert found(instance, after=601) is None


def test_a_run_of_the_command_line_is_waited_for_while_its_process_lives(instance: DagsterInstance) -> None:
    here = {HOST_TAG: socket.gethostname()}
    killed = start(instance, "trained_lstm", tags={**here, PID_TAG: NO_PROCESS})
    assert found(instance) is None
    assert record_of(instance, killed).dagster_run.status is DagsterRunStatus.FAILURE

    living = start(instance, "trained_lstm", tags={**here, PID_TAG: str(os.getpid())})
    assert found(instance) == living.run_id


def test_a_run_of_the_command_line_of_another_machine_is_waited_for(instance: DagsterInstance) -> None:
    run = start(instance, "trained_lstm", tags={HOST_TAG: "elsewhere", PID_TAG: NO_PROCESS})

    assert found(instance) == run.run_id


def test_a_killed_run_hides_no_other(instance: DagsterInstance) -> None:
    here = {HOST_TAG: socket.gethostname()}
    running = start(instance, "raw_matches")
    start(instance, "trained_lstm", tags={**here, PID_TAG: NO_PROCESS})
    start(instance, "backtest")

    assert found(instance) == running.run_id
