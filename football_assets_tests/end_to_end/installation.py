"""A whole installation as processes: a server of the Google Cloud Storage API, Dagster's daemon and UI, Ray Serve.

`loop.py` proves on it that the automation acts; tests open its pages.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from football_assets.registry.store import Registry
from football_assets.runtime.home import project_root
from football_assets.sample import sample_folder
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.dagster_home import open_instance
from football_assets_tests.builders.gcs_server import run_gcs_server
from football_assets_tests.builders.ports import free_port

Value = TypeVar("Value")

PATIENCE_SECONDS = 600.0  # longer than anything here takes on a busy machine of two cores
POLL_SECONDS = 0.25
FINISHED = {DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED}
SENSOR_TAG = "dagster/sensor_name"


class BrokenPromise(AssertionError):
    """The installation did not do what it should."""


@dataclass
class Installation:
    """Its folders, addresses and processes. Each program has a log of its name in `folder`."""

    folder: Path
    environment: dict[str, str]
    bucket_url: str
    ui_port: int
    serve_port: int
    say: Callable[[str], None]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def ui(self) -> str:
        """Address of the Dagster UI."""
        return f"http://127.0.0.1:{self.ui_port}"

    @property
    def endpoint(self) -> str:
        """Address of the forecasts."""
        return f"http://127.0.0.1:{self.serve_port}"

    @cached_property
    def bucket(self) -> Bucket:
        return open_bucket(self.bucket_url)

    @property
    def registry(self) -> Registry:
        return Registry(self.bucket)

    @cached_property
    def dagster(self) -> DagsterInstance:
        return open_instance(self.home / "dagster")

    def football(self, *arguments: str) -> str:
        """Run the command line to its end; returns what it printed."""
        done = subprocess.run(
            [program("football"), *arguments],
            env=self.environment,
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            raise BrokenPromise(f"football {' '.join(arguments)} ended with {done.returncode}: {done.stdout}")
        return done.stdout

    def start(self, name: str) -> None:
        """Start `daemon`, `ui` or `serve`."""
        workspace = str(project_root() / "workspace.yaml")
        commands = {
            "daemon": [program("dagster-daemon"), "run", "-w", workspace],
            "ui": [
                program("dagster-webserver"),
                *("-w", workspace, "-h", "127.0.0.1", "-p", str(self.ui_port)),
            ],
            "serve": [program("football"), "serve", "--port", str(self.serve_port)],
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                commands[name],
                env=self.environment,
                cwd=project_root(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kill a program with all that it started, as a machine that loses its power does."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End all programs."""
        for process in self.processes.values():
            process.send_signal(signal.SIGINT if process.poll() is None else 0)
        for name, process in self.processes.items():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                self.say(f"{name} did not end and is killed")
        for name in list(self.processes):
            process = self.processes.pop(name)
            with_its_own = process.pid
            try:
                os.killpg(with_its_own, signal.SIGKILL)
            except ProcessLookupError:
                continue
            process.wait()

    def log(self, name: str) -> str:
        """The end of what a program printed."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.is_file() else ""

    def wait(self, what: str, look: Callable[[], Value | None]) -> Value:
        """The first true value of `look`, which may fail to connect meanwhile."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise BrokenPromise(f"{name} ended with {process.returncode}: {self.log(name)}")
            try:
                value = look()
            except (httpx.HTTPError, OSError):
                value = None
            if value:
                return value
            time.sleep(POLL_SECONDS)
        logs = "\n".join(f"--- {name}\n{self.log(name)}" for name in self.processes)
        raise BrokenPromise(f"{what}: not within {PATIENCE_SECONDS:.0f} s.\n{logs}")

    def runs(self, sensor: str | None = None, job: str | None = None) -> list[DagsterRun]:
        """Runs, the newest first."""
        tags = {SENSOR_TAG: sensor} if sensor else {}
        return list(self.dagster.get_runs(RunsFilter(tags=tags, job_name=job)))

    def finished(self, known: Sequence[DagsterRun], sensor: str) -> DagsterRun:
        """The next run of a sensor that is not among the known ones, once it has ended well."""
        seen = {run.run_id for run in known}

        def look() -> DagsterRun | None:
            return next(
                (run for run in self.runs(sensor) if run.run_id not in seen and run.status in FINISHED), None
            )

        run = self.wait(f"a run of {sensor} ends", look)
        if run.status is not DagsterRunStatus.SUCCESS:
            raise BrokenPromise(f"Run {run.run_id} of {sensor}: {self.failure(run)}")
        return run

    def failure(self, run: DagsterRun) -> str:
        """What a run's log says of its failure."""
        records = self.dagster.get_records_for_run(run.run_id).records
        lines = [
            f"{event.step_key}: {event.event_specific_data}"
            for record in records
            if (event := record.event_log_entry.dagster_event) is not None and event.is_failure
        ]
        return "\n".join([str(run.status), *lines])

    def served_version(self) -> int | None:
        """The version that a replica answers with; None while none does."""
        health = httpx.get(f"{self.endpoint}/health", timeout=10).raise_for_status()
        version: int | None = health.json()["model_version"]
        return version

    def production(self) -> int:
        """The version that the registry calls production."""
        return self.registry.resolve("production")

    def launch(self, job: str) -> str:
        """Launch a job as the UI's button does; returns the run's id."""
        query = """mutation($job: String!) { launchRun(executionParams: {selector: {jobName: $job,
            repositoryName: "__repository__", repositoryLocationName: "football_assets"}}) {
            __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
        answer = httpx.post(
            f"{self.ui}/graphql", json={"query": query, "variables": {"job": job}}, timeout=120
        ).json()
        launched = answer.get("data", {}).get("launchRun", {})
        if launched.get("__typename") != "LaunchRunSuccess":
            raise BrokenPromise(f"Job {job} was not launched: {answer}")
        return str(launched["run"]["runId"])


@contextmanager
def installation(folder: Path, say: Callable[[str], None]) -> Iterator[Installation]:
    """Folders, a bucket on a server of the Google Cloud Storage API, and free ports; nothing else runs yet."""
    folder.mkdir(parents=True, exist_ok=True)
    with run_gcs_server(folder) as server:
        url = f"gs://{server.make_bucket()}/football"
        before = os.environ.get("STORAGE_EMULATOR_HOST")
        os.environ["STORAGE_EMULATOR_HOST"] = server.address
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FOOTBALL_")}
        home = folder / "home"
        found = Installation(
            folder,
            inherited
            | {
                "FOOTBALL_HOME": str(home),
                "FOOTBALL_BUCKET": url,
                "DAGSTER_HOME": str(home / "dagster"),
                "PYTHONUNBUFFERED": "1",
            },
            url,
            free_port(),
            free_port(),
            say,
        )
        try:
            yield found
        finally:
            found.stop()
            if before is None:
                del os.environ["STORAGE_EMULATOR_HOST"]
            else:
                os.environ["STORAGE_EMULATOR_HOST"] = before


@contextmanager
def local_installation(folder: Path, say: Callable[[str], None]) -> Iterator[Installation]:
    """An empty home whose bucket is a folder, as on a newcomer's machine, and free ports; nothing else runs yet."""
    home = folder / "home"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FOOTBALL_")}
    variables = {"FOOTBALL_HOME": str(home), "DAGSTER_HOME": str(home / "dagster"), "PYTHONUNBUFFERED": "1"}
    found = Installation(folder, inherited | variables, str(home / "bucket"), free_port(), free_port(), say)
    try:
        yield found
    finally:
        found.stop()


def sample_until(day: date, folder: Path) -> Path:
    """The bundled results as they stood after a day: later matches have no score. In a folder `openfootball`."""
    target = folder / "openfootball"
    for file in sorted(sample_folder().rglob("*.json")):
        copy = target / file.parent.name / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        document = json.loads(file.read_bytes())
        later = [match for match in document["matches"] if match["date"] > str(day) and "score" in match]
        for match in later:
            del match["score"]
        if later:
            copy.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        else:
            shutil.copyfile(file, copy)
    return target


def program(name: str) -> str:
    """A program of this environment."""
    return str(Path(sys.executable).with_name(name))


def step_metadata(instance: DagsterInstance, run: DagsterRun, asset: str) -> dict[str, Any]:
    """The metadata with which a run materialized an asset."""
    for record in instance.get_records_for_run(run.run_id).records:
        materialization = record.event_log_entry.asset_materialization
        if materialization is not None and materialization.asset_key.path == [asset]:
            return {name: item.value for name, item in materialization.metadata.items()}
    raise BrokenPromise(f"Run {run.run_id} did not materialize {asset}.")
