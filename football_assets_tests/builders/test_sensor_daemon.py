"""Dagster's sensor daemon, killed at every step between a tick and the launch of its run."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from dagster import DagsterRunStatus

from football_assets.orchestration.dagster_private import RUN_KEY_TAG
from football_assets.runtime.home import project_root
from football_assets_tests.builders.dagster_home import open_instance
from football_assets_tests.builders.small_graph import SmallHome

# In a tick's order: ids of the runs are kept; the run is created; it is in the queue.
STEPS = ["RUN_IDS_RESERVED", "RUN_CREATED", "RUN_LAUNCHED"]


def test_a_daemon_that_is_killed_between_tick_and_launch_launches_one_run(tmp_path: Path) -> None:
    place = tmp_path / "dagster"
    place.mkdir()
    shutil.copy(project_root() / "dagster.yaml", place)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(place),
        "FOOTBALL_HOME": str(tmp_path),
        "FOOTBALL_BUCKET": str(tmp_path / "bucket"),
    }
    with open_instance(place) as instance:
        home = SmallHome(environment["FOOTBALL_BUCKET"], tmp_path, instance)
        home.land("2012-13/eng.1.csv", "Sat Aug 18 2012,Fulham,2-1,?,Everton")
        codes, runs = [], []
        start = time.time()
        for number, step in enumerate([*STEPS, None]):
            arguments = [str(start + 3600 * number), *([step] if step else [])]
            command = [sys.executable, "-m", "football_assets_tests.builders.sensor_daemon", *arguments]
            with (tmp_path / f"daemon-{number}.log").open("wb") as log:
                done = subprocess.run(
                    command, env=environment, cwd=project_root(), stdout=log, stderr=log, timeout=120
                )
            codes.append(done.returncode)
            runs.append([(run.status, run.tags[RUN_KEY_TAG]) for run in instance.get_runs()])

        assert codes == [-signal.SIGKILL] * len(STEPS) + [0]
        assert [[status for status, _ in seen] for seen in runs] == [
            [],
            [DagsterRunStatus.NOT_STARTED],
            [DagsterRunStatus.QUEUED],
            [DagsterRunStatus.QUEUED],
        ]
        assert len({key for seen in runs for _, key in seen}) == 1
