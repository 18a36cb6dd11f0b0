"""A code server on a TCP port, in a PID namespace of its own, as in another container; and its runs."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import dagster as dg

from football_assets.runtime.code_location import SERVER_ID
from football_assets.runtime.home import project_root
from football_assets_tests.builders.dagster_private import (
    GrpcServerTarget,
    WorkspaceProcessContext,
    create_test_daemon_workspace_context,
)

MODULE = "football_assets_tests.builders.waiting_workspace"
LOCATION, JOB = "waiting", "waiting"
PATIENCE_SECONDS = 120
_STARTED = b"Started Dagster code server"

REASON = (
    "a PID namespace requires root and util-linux" if os.geteuid() or not shutil.which("unshare") else None
)
"""Why this machine cannot run one, or None."""


@contextmanager
def run_code_server(
    instance: dg.DagsterInstance, port: int, server_id: str = f"{SERVER_ID}test"
) -> Iterator[None]:
    """Run a code server of the instance; it is killed with its runs at the end of the block."""
    log = Path(instance.root_directory) / f"code-server-{time.monotonic_ns()}.log"
    server = [sys.executable, "-m", "dagster", "api", "grpc", "--module-name", MODULE]
    # The PIDs in the namespace begin where this machine has none.
    begin = f'echo {_middle_of_unused_pids()} > /proc/sys/kernel/ns_last_pid; exec "$@"'
    namespace = ["unshare", "--pid", "--fork", "--kill-child", "sh", "-c", begin, "sh"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*namespace, *server, "--port", str(port), "--fixed-server-id", server_id],
            env={**os.environ, "DAGSTER_HOME": instance.root_directory, "PYTHONPATH": str(project_root())},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(lambda: _STARTED in log.read_bytes(), lambda: log.read_text())
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def workspace_of(instance: dg.DagsterInstance, port: int) -> Iterator[WorkspaceProcessContext]:
    """The workspace of a daemon with that code server alone."""
    target = GrpcServerTarget(host="127.0.0.1", port=port, socket=None, location_name=LOCATION)
    with create_test_daemon_workspace_context(target, instance) as workspace:
        yield workspace


def launch_run(instance: dg.DagsterInstance, workspace: WorkspaceProcessContext) -> str:
    """Launch the job as the daemon does, and return the id of its run once a step runs."""
    context = workspace.create_request_context()
    (repository,) = context.get_code_location(LOCATION).get_repositories().values()
    job = repository.get_full_job(JOB)
    origin = job.get_remote_origin()
    run = instance.create_run(
        job_name=JOB,
        run_id=None,
        run_config={},
        status=dg.DagsterRunStatus.NOT_STARTED,
        tags={},
        root_run_id=None,
        parent_run_id=None,
        step_keys_to_execute=None,
        execution_plan_snapshot=None,
        job_snapshot=job.job_snapshot,
        parent_job_snapshot=job.parent_job_snapshot,
        asset_selection=None,
        asset_check_selection=None,
        resolved_op_selection=None,
        op_selection=None,
        remote_job_origin=origin,
        job_code_origin=job.get_python_origin(),
        asset_graph=repository.asset_graph,
    )
    instance.launch_run(run.run_id, context)

    def events() -> list[str | None]:
        return [event.dagster_event_type for event in instance.all_logs(run.run_id)]

    wait_until(lambda: dg.DagsterEventType.STEP_START in events(), lambda: str(events()))
    return run.run_id


def wait_until(holds: Callable[[], bool], explain: Callable[[], str]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


def _middle_of_unused_pids() -> int:
    """The middle of the longest range of numbers that no process or thread of this machine has."""
    used = sorted(int(task.name) for task in Path("/proc").glob("[0-9]*/task/[0-9]*"))
    before, after = max(pairwise(used), key=lambda pair: pair[1] - pair[0])
    return (before + after) // 2
