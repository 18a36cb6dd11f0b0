"""Private names of Dagster still behave as the project relies on. A failure here names what an upgrade changed."""

import inspect
import os
import signal
from typing import Any

import dagster as dg
import pytest

from football_assets.orchestration import dagster_private as private
from football_assets.runtime.home import project_root
from football_assets_tests.builders.dagster_private import EngineEventData


@dg.asset
def small() -> int:
    return 1


@dg.asset
def broken() -> int:
    try:
        raise ValueError("the inner reason")
    except ValueError as error:
        raise dg.Failure("the outer reason") from error


def events_of(asset: dg.AssetsDefinition) -> tuple[dg.DagsterRun, list[dg.DagsterEvent]]:
    definitions = dg.Definitions(assets=[asset], executor=dg.in_process_executor)
    job = definitions.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(job_def=job)
        return run, list(private.execute_run_iterator(private.InMemoryJob(job), run, instance))


def test_every_name_is_exported_once() -> None:
    assert len(set(private.__all__)) == len(private.__all__)
    assert all(hasattr(private, name) for name in private.__all__)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (private.ASSET_PARTITION_RANGE_START_TAG, "dagster/asset_partition_range_start"),
        (private.ASSET_PARTITION_RANGE_END_TAG, "dagster/asset_partition_range_end"),
        (private.BACKFILL_ID_TAG, "dagster/backfill"),
        (private.CODE_VERSION_TAG, "dagster/code_version"),
        (private.DATA_VERSION_TAG, "dagster/data_version"),
        (private.AUTO_RETRY_RUN_ID_TAG, "dagster/auto_retry_run_id"),
        (private.GRPC_INFO_TAG, ".dagster/grpc_info"),
        (private.MAX_RETRIES_TAG, "dagster/max_retries"),
        (private.RUN_KEY_TAG, "dagster/run_key"),
        (private.SENSOR_NAME_TAG, "dagster/sensor_name"),
        (private.WILL_RETRY_TAG, "dagster/will_retry"),
    ],
)
def test_tags_are_those_of_runs_that_are_stored(tag: str, value: str) -> None:
    assert tag == value


def test_events_of_a_run_are_yielded_in_order() -> None:
    run, events = events_of(small)

    kinds = [event.event_type for event in events]
    started, made, ended = (
        kinds.index(kind)
        for kind in (
            dg.DagsterEventType.STEP_START,
            dg.DagsterEventType.ASSET_MATERIALIZATION,
            dg.DagsterEventType.RUN_SUCCESS,
        )
    )
    assert started < made < ended
    assert {event.job_name for event in events} == {run.job_name}


def test_the_error_of_a_failed_step_has_its_message_class_and_cause() -> None:
    _, events = events_of(broken)

    (failure,) = [event for event in events if event.event_type is dg.DagsterEventType.STEP_FAILURE]
    error = failure.step_failure_data.error
    assert isinstance(error, private.SerializableErrorInfo)
    assert error.cls_name == "Failure"
    assert error.cause is not None
    assert "the inner reason" in error.cause.message
    assert error.cause.cause is None


def test_an_interrupt_is_captured_while_the_block_runs() -> None:
    with private.capture_interrupts():
        os.kill(os.getpid(), signal.SIGINT)  # raises KeyboardInterrupt without the block
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_is_linked_to_the_code_location_of_the_workspace_file() -> None:
    location, *others = private.location_origins_from_yaml_paths([str(project_root() / "workspace.yaml")])

    job = private.RemoteJobOrigin(private.RemoteRepositoryOrigin(location, "__repository__"), "__ASSET_JOB")
    assert others == []
    assert job.job_name == "__ASSET_JOB"
    assert job.location_name == location.location_name
    assert job.repository_origin.repository_name == "__repository__"


def test_the_graph_of_a_repository_knows_assets_and_checks() -> None:
    @dg.asset_check(asset=small)
    def positive() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    graph = dg.Definitions(assets=[small], asset_checks=[positive]).get_repository_def().asset_graph

    assert isinstance(graph, private.BaseAssetGraph)
    assert graph.executable_asset_keys == {small.key}
    assert graph.asset_check_keys == {dg.AssetCheckKey(small.key, "positive")}


def test_a_check_that_passed_or_failed_is_completed_and_a_planned_one_is_not() -> None:
    names = {status.name for status in private.COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES}

    assert names == {"SUCCEEDED", "FAILED"}


def test_run_monitoring_asks_the_launcher_for_the_health_of_a_run() -> None:
    base: Any = next(kind for kind in dg.DefaultRunLauncher.__mro__ if kind.__name__ == "RunLauncher")

    assert list(inspect.signature(base.check_run_worker_health).parameters) == ["self", "run"]
    assert isinstance(base.supports_check_run_worker_health, property)
    assert list(inspect.signature(base.launch_run).parameters) == ["self", "context"]
    assert "dagster_run" in dir(private.LaunchRunContext)
    result = private.CheckRunHealthResult(private.WorkerStatus.FAILED, "killed")
    assert (result.status, result.msg) == (private.WorkerStatus.FAILED, "killed")


def test_the_event_of_a_launched_process_names_its_identifier() -> None:
    assert EngineEventData.in_process(4711).metadata["pid"].value == "4711"
