"""The processes of Dagster on a real PostgreSQL, without Serve and without a run; `make deploy-test` runs the whole."""

from pathlib import Path

import pytest

from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.dagster_processes import REASON, run_dagster
from football_assets_tests.builders.postgres import run_postgres

pytest.importorskip("dagster_postgres", reason="the extra pipeline is not installed")
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))


def test_the_daemon_evaluates_the_sensors_of_the_code_location_and_every_process_ends_on_sigterm(
    tmp_path: Path,
) -> None:
    (tmp_path / "bucket").mkdir()
    with (
        run_postgres() as postgres,
        run_dagster(tmp_path, LocalBucket(tmp_path / "bucket"), postgres) as here,
    ):
        here.wait_for_sensors()

        ended = 'tick_failed{name="new_results_sensor",type="sensor"} 0.0'
        here.wait("a tick reads the empty bucket", lambda: ended in here.metrics())
        assert set(here.terminate()) == {"code-location", "metrics", "webserver", "daemon"}
