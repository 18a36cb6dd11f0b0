"""Dagster as `deploy/` runs it, on a real PostgreSQL, with a real Serve: `make deploy-test`.

`football serve` has a home of its own, reached by address and token. A file lands; sensors bring it to a served
forecast.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from football_assets.registry.store import Registry
from football_assets.runtime.serve_discovery import find_serve
from football_assets.settings import Settings
from football_assets_tests.builders.dagster_processes import REASON, Processes, run_dagster
from football_assets_tests.builders.demo import copy_bucket
from football_assets_tests.builders.postgres import run_postgres
from football_assets_tests.end_to_end.serving import run_server

pytest.importorskip("dagster_postgres", reason="the extra kubernetes is not installed")
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))

LANDED = "raw/upload/2015-16/eng.1.csv"
RESULT = "Date,Team 1,FT,HT,Team 2\nSun Nov 15 2015,Arsenal FC,2-1,1-0,Chelsea FC\n"


@pytest.fixture(scope="module")
def here(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    folder = tmp_path_factory.mktemp("processes")
    serve_home = folder / "serve" / "home"
    bucket = copy_bucket(demo_home, serve_home / "bucket")
    with run_server(serve_home, replicas=1) as server, run_postgres() as postgres:
        address = find_serve(Settings(home=serve_home))
        more = {
            "FOOTBALL_SERVE_API": address.url,
            "FOOTBALL_SERVE_TOKEN": str(address.token),
            "SERVE_URL": server.url,
        }
        with run_dagster(folder, bucket, postgres, more) as found:
            yield found


def test_the_webserver_shows_the_location_and_the_daemon_is_well(here: Processes) -> None:
    here.wait_for_sensors()
    assert 'daemon_heartbeat_age_seconds{daemon="SENSOR"}' in here.metrics()


def test_a_landed_file_becomes_a_served_forecast(here: Processes) -> None:
    registry, served = Registry(here.bucket), here.environment["SERVE_URL"]
    before = registry.versions()
    here.bucket.write(LANDED, RESULT.encode())

    def has_run() -> bool:
        text = here.metrics()
        assert 'runs_last_day{dagster_job="refresh_forecasts",status="failure"}' not in text, failures(here)
        return 'runs_last_day{dagster_job="refresh_forecasts",status="success"}' in text

    here.wait("the run of the sensor succeeds", has_run)
    assert len(registry.versions()) > len(before), "a model was trained on the new result"
    production = registry.resolve("production")
    here.wait(
        "production serves",
        lambda: httpx.get(f"{served}/health", timeout=30).json()["model_version"] == production,
    )
    match = {"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea", "date": "2016-06-01"}
    answer = httpx.post(f"{served}/predict", json=match, timeout=30).raise_for_status().json()
    assert answer["model_version"] == production
    # After a restart of Serve and after each promotion the sensor verifies it by address and token.
    here.wait(
        "serving_deployment has verified the replica",
        lambda: 'runs_last_day{dagster_job="follow_registry",status="success"}' in here.metrics(),
    )


def failures(here: Processes) -> str:
    query = "{ runsOrError(filter: {statuses: [FAILURE]}) { ... on Runs { results { jobName runId } } } }"
    return f"{here.graphql(query)}\n{here.log('daemon')}"


def test_every_process_ends_on_sigterm_while_the_others_are_connected(here: Processes) -> None:
    for name, seconds in here.terminate().items():
        print(f"{name} ended after {seconds:.1f} s")
