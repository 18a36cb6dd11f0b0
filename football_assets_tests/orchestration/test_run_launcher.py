"""Runs whose process has ended fail; those of a running process, or of another machine, do not."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import dagster as dg
import pytest

from football_assets.orchestration.dagster_private import GRPC_INFO_TAG, WorkerStatus
from football_assets.orchestration.run_launcher import HOST_TAG, PID_TAG, LocalRunLauncher
from football_assets.runtime.home import prepare_home, project_root
from football_assets_tests.builders.code_server import REASON, launch_run, run_code_server, workspace_of
from football_assets_tests.builders.dagster_home import open_instance
from football_assets_tests.builders.dagster_private import EngineEventData, execute_run_monitoring_iteration
from football_assets_tests.end_to_end.installation import free_port


@dg.op
def nothing() -> None:
    pass


@dg.job
def idle() -> None:
    nothing()


@pytest.fixture
def instance(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """The instance of a home, as `dagster.yaml` has it."""
    for name in ("FOOTBALL_HOME", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    settings = prepare_home(tmp_path_factory.mktemp("home"))
    with open_instance(settings.dagster_home) as found:
        yield found


def started_run(
    instance: dg.DagsterInstance, pid: int | None, host: str, pid_of_command: int | None = None
) -> dg.DagsterRun:
    """A run as the daemon or a command launches it; a process of the daemon's has said that it began."""
    tags = {HOST_TAG: host} | ({PID_TAG: str(pid_of_command)} if pid_of_command is not None else {})
    run = instance.create_run_for_job(job_def=idle, tags=tags, status=dg.DagsterRunStatus.STARTED)
    if pid is not None:
        instance.report_engine_event("Started process for run.", run, EngineEventData.in_process(pid))
    return run


def health(instance: dg.DagsterInstance, run: dg.DagsterRun) -> WorkerStatus:
    assert isinstance(instance.run_launcher, LocalRunLauncher)
    return instance.run_launcher.check_run_worker_health(run).status


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return process.pid


def test_the_instance_launches_with_it() -> None:
    assert "LocalRunLauncher" in (project_root() / "dagster.yaml").read_text()


def test_a_run_whose_process_was_killed_has_failed(instance: dg.DagsterInstance) -> None:
    run = started_run(instance, ended_process(), socket.gethostname())
    assert health(instance, run) is WorkerStatus.FAILED


def test_a_run_of_a_living_process_runs(instance: dg.DagsterInstance) -> None:
    assert health(instance, started_run(instance, os.getpid(), socket.gethostname())) is WorkerStatus.RUNNING


def test_a_process_that_began_after_the_run_is_another_one(instance: dg.DagsterInstance) -> None:
    run = started_run(instance, None, socket.gethostname())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as later:
        with pytest.MonkeyPatch.context() as clock:
            clock.setattr("time.time", lambda: 1_000_000_000.0)  # when the event is written
            instance.report_engine_event(
                "Started process for run.", run, EngineEventData.in_process(later.pid)
            )
        status = health(instance, run)
        later.kill()
    assert status is WorkerStatus.FAILED


def test_a_process_that_began_after_a_run_of_the_command_line_is_another_one(
    instance: dg.DagsterInstance,
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as later:
        run = started_run(instance, None, socket.gethostname(), pid_of_command=later.pid)
        status_before_its_first_event = health(instance, run)
        with pytest.MonkeyPatch.context() as clock:
            clock.setattr("time.time", lambda: 1_000_000_000.0)  # when the event is written
            instance.report_engine_event("Executing steps.", run)
        status = health(instance, run)
        later.kill()
    assert status_before_its_first_event is WorkerStatus.RUNNING
    assert status is WorkerStatus.FAILED


def test_a_run_of_the_command_line_that_is_executed_again_in_the_ui_has_a_process_of_its_own(
    instance: dg.DagsterInstance,
) -> None:
    host, killed = socket.gethostname(), ended_process()
    parent = started_run(instance, None, host, pid_of_command=killed)
    instance.report_run_failed(parent)
    again = instance.create_run_for_job(
        job_def=idle,
        tags=parent.tags,
        parent_run_id=parent.run_id,
        root_run_id=parent.run_id,
        status=dg.DagsterRunStatus.STARTED,
    )
    launched = started_run(instance, os.getpid(), host, pid_of_command=killed)
    instance.add_run_tags(launched.run_id, {GRPC_INFO_TAG: '{"host": "localhost", "socket": "/tmp/socket"}'})

    for run_id in (again.run_id, launched.run_id):
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert health(instance, run) is WorkerStatus.RUNNING


def test_a_run_that_has_not_begun_or_is_elsewhere_is_left_alone(instance: dg.DagsterInstance) -> None:
    for run in (
        started_run(instance, None, socket.gethostname()),
        started_run(instance, ended_process(), "elsewhere"),
    ):
        assert health(instance, run) is WorkerStatus.RUNNING


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
def test_the_daemon_asks_a_code_server_in_another_container_whether_it_executes_a_run(
    instance: dg.DagsterInstance,
) -> None:
    port = free_port()

    def status_after_monitoring() -> dg.DagsterRunStatus:
        errors = list(execute_run_monitoring_iteration(workspace, logging.getLogger("daemon")))
        assert not any(errors)
        return instance.get_run_by_id(run_id).status  # type: ignore[union-attr]

    with run_code_server(instance, port), workspace_of(instance, port) as workspace:
        run_id = launch_run(instance, workspace)
        while_it_runs = status_after_monitoring()
    with workspace_of(instance, port) as workspace:
        while_none_answers = status_after_monitoring()
    with run_code_server(instance, port, "reloaded"), workspace_of(instance, port) as workspace:
        by_a_server_that_may_not_know_all_runs = status_after_monitoring()
    with run_code_server(instance, port), workspace_of(instance, port) as workspace:
        after_a_restart = status_after_monitoring()

    assert by_a_server_that_may_not_know_all_runs is dg.DagsterRunStatus.STARTED
    assert while_it_runs is dg.DagsterRunStatus.STARTED
    assert while_none_answers is dg.DagsterRunStatus.STARTED
    assert after_a_restart is dg.DagsterRunStatus.FAILURE
    messages = [event.message for event in instance.all_logs(run_id)]
    assert any("does not execute this run: it was restarted" in message for message in messages)
