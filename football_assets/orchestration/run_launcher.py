"""Launches runs as Dagster does by default, and knows whether their processes live. `dagster.yaml` names it.

Without it a run whose process was killed, with the daemon or for want of memory, counts as under way for hours, and
sensors wait for it. With it, Dagster's run monitoring fails such a run and tries it again.
"""

import socket

import psutil
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DefaultRunLauncher

from football_assets.orchestration.dagster_private import CheckRunHealthResult, LaunchRunContext, WorkerStatus

HOST_TAG = "football/host"
PID_TAG = "football/pid"  # of runs that the command line executes in its own process
_CLOCK_SECONDS = 2.0  # by which the clocks of processes and of events may differ


class LocalRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher for runs on this machine, with a look at their processes."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Launch a run, and note on which machine."""
        self._instance.add_run_tags(context.dagster_run.run_id, {HOST_TAG: socket.gethostname()})
        super().launch_run(context)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Run monitoring asks for it."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Failed if the run's process was on this machine and is no more; running also where that is not known."""
        pid = killed_process(self._instance, run)
        if pid is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, killed_message(pid))


def killed_process(instance: DagsterInstance, run: DagsterRun) -> int | None:
    """Identifier of the process of this machine that executed an unfinished run and was killed, if it was."""
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
    """What is written into the log of a run whose process was killed."""
    return f"Process {pid} that executed this run was killed."


def _lives(pid: int, at: float) -> bool:
    """Whether the process that had this identifier at a time, in Unix seconds, still runs: identifiers come again."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= at + _CLOCK_SECONDS
    except psutil.NoSuchProcess:
        return False
