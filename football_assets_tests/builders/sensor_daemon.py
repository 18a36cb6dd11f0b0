"""A few ticks of Dagster's own sensor daemon, in a process that may kill itself between two steps of a tick.

`python -m football_assets_tests.builders.sensor_daemon START [STEP]`: the ticks are a minute apart from START on, in
Unix seconds, and where STEP is given the process is killed when a tick of `new_results_sensor` gets there.
"""

import logging
import signal
import sys

from dagster import DagsterInstance

from football_assets.automation.new_results_sensor import NAME
from football_assets_tests.builders.dagster_private import (
    InProcessCodeLocationOrigin,
    InProcessWorkspaceLoadTarget,
    LoadableTargetOrigin,
    create_test_daemon_workspace_context,
    execute_sensor_iteration,
    freeze_time,
)

TICKS = 3
SECONDS_BETWEEN = 60
WORKSPACE = "football_assets_tests.builders.small_workspace"


def main(start: float, step: str | None = None) -> None:
    """Tick."""
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name=WORKSPACE), location_name="small")
    target = InProcessWorkspaceLoadTarget(location)
    crash = {NAME: {step: signal.SIGKILL}} if step else None
    with (
        DagsterInstance.get() as instance,
        create_test_daemon_workspace_context(target, instance) as workspace,
    ):
        for number in range(TICKS):
            with freeze_time(start + number * SECONDS_BETWEEN):
                logger = logging.getLogger("daemon")
                list(execute_sensor_iteration(workspace, logger, None, None, debug_crash_flags=crash))


if __name__ == "__main__":
    main(float(sys.argv[1]), *sys.argv[2:])
