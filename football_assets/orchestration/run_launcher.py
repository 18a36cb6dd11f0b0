"""Run launcher with health checks for runs on this machine. `dagster.yaml` configures it.

`DefaultRunLauncher` has no health checks: a run whose process was killed, together with the daemon or by the kernel for
lack of memory, counts as in progress for hours, and sensors wait for it. With health checks, Dagster's run monitoring
fails such a run and retries it.
"""

import socket

import psutil
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DefaultRunLauncher

from football_assets.orchestration.dagster_private import CheckRunHealthResult, LaunchRunContext, WorkerStatus

HOST_TAG = "football/host"
PID_TAG = "football/pid"  # of runs that the command line executes in its own process
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
        """Return FAILED if the run's process was on this machine and has ended, RUNNING otherwise and if unknown."""
        pid = killed_process(self._instance, run)
        if pid is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, killed_message(pid))


def killed_process(instance: DagsterInstance, run: DagsterRun) -> int | None:
    """Return the PID of an unfinished run's process on this machine if it was killed, else None."""
    if run.tags.get(HOST_TAG) != socket.gethostname():
        return None
    if PID_TAG in run.tags:
        pid = int(run.tags[PID_TAG])
        return None if psutil.pid_exists(pid) else pid
    for record in instance.get_records_for_run(run.run_id, of_type=DagsterEventType.ENGINE_EVENT).records:
        event = record.event_log_entry.dagster_event
        value = event.engine_event_data.metadata.get("pid") if event is not None else None
        if value is not None:
            pid = int(str(value.value))
            return None if _lives(pid, record.event_log_entry.timestamp) else pid
    return None


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
