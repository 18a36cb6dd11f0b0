"""Servers to measure: `football serve` and the plain reference server, on free ports."""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks import ROOT
from benchmarks.speed.load_process import HOST
from benchmarks.speed.processes import process_tree, resident_bytes
from serve.launch import status_of

START_SECONDS = 180
STOP_SECONDS = 60
POLL_SECONDS = 0.02
NO_RATE_LIMIT = {"FOOTBALL_RATE_LIMIT": "0"}  # one client sends all requests
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_RAY_TOKEN = secrets.token_hex(32)  # of the clusters that are started here
RAY_HEADERS = {"Authorization": f"Bearer {_RAY_TOKEN}"}
_REPLICA = b"ray::ServeReplica:"


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    seconds_to_ready: float

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def dashboard(self) -> str:
        """Address of Ray's dashboard, whose REST API takes Serve's configuration."""
        found = re.search(r"dashboard is on (http://\S+?)\.?$", self.log.read_text(), re.MULTILINE)
        if found is None:
            raise SystemExit(f"The server did not say where Ray's dashboard is: see {self.log}.")
        return found[1]

    def replicas(self) -> list[int]:
        """Return the process identifiers of the replicas."""
        return [pid for pid in process_tree(self.process.pid) if _command_line(pid).startswith(_REPLICA)]

    def replica_bytes(self) -> int:
        """Resident memory of all replicas."""
        return sum(map(resident_bytes, self.replicas()))

    def get(self, path: str) -> Any:
        """Request a JSON document from the server."""
        with urllib.request.urlopen(self.url + path, timeout=10) as response:
            return orjson.loads(response.read())


@contextmanager
def forecast_server(
    home: Path,
    *,
    replicas: int | None = None,
    command: Sequence[str] | None = None,
    variables: Mapping[str, str] = NO_RATE_LIMIT,
) -> Iterator[Server]:
    """Run `football serve` on a free port while the block runs; stop it with SIGINT.

    Parameters
    ----------
    command
        Command to start instead, with `--port` added.
    variables
        Environment variables of the server.
    """
    started = [sys.executable, "-m", "football_assets.cli", "--home", str(home), "serve"]
    started = list(command) if command is not None else started
    if replicas is not None:
        started += ["--replicas", str(replicas)]
    with _running(started, home, "/ready", variables) as server:
        yield server


@contextmanager
def reference_server(home: Path) -> Iterator[Server]:
    """Run the plain reference server on a free port while the block runs."""
    module = [sys.executable, "-m", "benchmarks.speed.reference_server"]
    with _running([*module, str(home / "bucket"), str(home / "plain")], home, "/docs") as server:
        yield server


@contextmanager
def _running(
    command: list[str], home: Path, ready: str, variables: Mapping[str, str] = NO_RATE_LIMIT
) -> Iterator[Server]:
    with socket.create_server((HOST, 0)) as probe:
        port = int(probe.getsockname()[1])
    log = home / f"server-{port}.log"
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=ROOT,
            env=server_environment()
            | {**variables, "FOOTBALL_HOME": str(home)}
            | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _RAY_TOKEN},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while status_of(f"http://{HOST}:{port}{ready}") != 200:
            if process.poll() is not None or time.perf_counter() - started > START_SECONDS:
                raise SystemExit(f"The server did not start: {log.read_text()[-2000:]}")
            time.sleep(POLL_SECONDS)
        yield Server(process, port, log, time.perf_counter() - started)
    finally:
        descendants = list(process_tree(process.pid))
        process.send_signal(signal.SIGINT)  # no effect where it has ended
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"The server did not stop within {STOP_SECONDS} s: it is killed.")
            for pid in descendants:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


def say(line: str) -> None:
    """Print a line of progress on standard error."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def deployments_of(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the deployments of a Serve configuration."""
    for application in config["applications"]:
        yield from application["deployments"]


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def server_environment() -> dict[str, str]:
    """Return this process's environment without variables of other servers, buckets and API keys."""
    ours = {"FOOTBALL_BUCKET", "FOOTBALL_API_KEY", "FOOTBALL_API_KEYS", "FOOTBALL_HOME", "RAY_ADDRESS"}
    return {name: value for name, value in os.environ.items() if name not in ours}
