"""Run launcher with health checks for runs of code servers. `dagster.yaml` configures it.

`DefaultRunLauncher` has no health checks: a run whose process was killed, together with the daemon or by the kernel for
lack of memory, counts as in progress for hours, and sensors wait for it. With health checks, Dagster's run monitoring
fails such a run and retries it.

A code server executes a run in a process of its own. A server on a Unix socket runs on this machine, and ends together
with the daemon: the process of the run is looked up. A server on a TCP port may run in another container, where the PID
names another process, and may outlive the daemon: it is asked.
"""

import json
import socket

import psutil
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DefaultRunLauncher, deserialize_value

from football_assets.orchestration.dagster_private import (
    GRPC_INFO_TAG,
    CanCancelExecutionRequest,
    CanCancelExecutionResult,
    CheckRunHealthResult,
    DagsterGrpcClient,
    DagsterUserCodeUnreachableError,
    LaunchRunContext,
    WorkerStatus,
)
from football_assets.runtime.code_location import SERVER_ID

HOST_TAG = "football/host"
PID_TAG = "football/pid"  # of runs that the command line executes in its own process
_SERVER_SECONDS = 10
_CLOCK_SECONDS = 2.0  # tolerance between start times of processes and timestamps of events


class LocalRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher with a health check of the run's process."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Launch a run, tagged with the name of this machine."""
        self._instance.add_run_tags(context.dagster_run.run_id, {HOST_TAG: socket.gethostname()})
        super().launch_run(context)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Return True: run monitoring then calls `check_run_worker_health`."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Return FAILED if the run's process was killed, RUNNING otherwise and if that is not known."""
        client = _server_on_port(run)
        if client is not None:
            return _health_by_server(client, run)
        pid = killed_process(self._instance, run)
        if pid is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, killed_message(pid))


def killed_process(instance: DagsterInstance, run: DagsterRun) -> int | None:
    """Return the PID of an unfinished run's process on this machine if it was killed, else None."""
    if run.tags.get(HOST_TAG) != socket.gethostname() or _server_on_port(run) is not None:
        return None
    if _is_of_command(run):
        pid = int(run.tags[PID_TAG])
        records = instance.get_records_for_run(run.run_id, limit=1).records
        if not records:
            return None if psutil.pid_exists(pid) else pid
        return None if _lives(pid, records[0].event_log_entry.timestamp) else pid
    for record in instance.get_records_for_run(run.run_id, of_type=DagsterEventType.ENGINE_EVENT).records:
        event = record.event_log_entry.dagster_event
        value = event.engine_event_data.metadata.get("pid") if event is not None else None
        if value is not None:
            pid = int(str(value.value))
            return None if _lives(pid, record.event_log_entry.timestamp) else pid
    return None


def _is_of_command(run: DagsterRun) -> bool:
    """Tell whether the command line executes a run; one that is executed again in the UI has a copy of its tags."""
    return PID_TAG in run.tags and GRPC_INFO_TAG not in run.tags and run.parent_run_id is None


def _server_on_port(run: DagsterRun) -> DagsterGrpcClient | None:
    """Return a client of the code server that executes a run; None if it is on a Unix socket, or there is none."""
    server = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    if "port" not in server:
        return None
    return DagsterGrpcClient(server["port"], host=server["host"], use_ssl=server.get("use_ssl", False))


def _health_by_server(client: DagsterGrpcClient, run: DagsterRun) -> CheckRunHealthResult:
    """Ask the code server whether it executes a run; one that was restarted does not.

    `dagster code-server start` does not know the runs that began before a reload: only `football code-location` does.
    """
    try:
        server_id = client.get_server_id(_SERVER_SECONDS)
        answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), _SERVER_SECONDS)
    except DagsterUserCodeUnreachableError:  # it may still execute the run
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    if deserialize_value(answer, CanCancelExecutionResult).can_cancel or not server_id.startswith(SERVER_ID):
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    return CheckRunHealthResult(
        WorkerStatus.FAILED,
        f"The code server on {client.host}:{client.port} does not execute this run: it was restarted.",
    )


def killed_message(pid: int) -> str:
    """Return the failure message of a run whose process was killed."""
    return f"Process {pid} that executed this run was killed."


def _lives(pid: int, at: float) -> bool:
    """Tell whether the process that had a PID at a time in Unix seconds still runs; PIDs are reused."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= at + _CLOCK_SECONDS
    except psutil.NoSuchProcess:
        return False
