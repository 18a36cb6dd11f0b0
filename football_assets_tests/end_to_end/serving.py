"""`football serve` as a process of its own, with Ray, HAProxy and its replicas."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from football_assets.runtime.serve_discovery import ServeAddress, find_serve
from football_assets.settings import Settings
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket
from serve.prediction_log import SEGMENTS, read_segment

COMMAND = str(Path(sys.executable).with_name("football"))
MATCH = {"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea", "date": "2016-06-01"}
PATIENCE_SECONDS = 300.0  # nothing here is a measurement
REPLICA_TITLE = "ray::ServeReplica"


@dataclass
class Server:
    """A running `football serve`, and all processes that it has been seen to start."""

    process: subprocess.Popen[bytes]
    home: Path
    url: str
    output: Path
    count: int  # of replicas
    seen: set[tuple[int, str]] = field(default_factory=set)

    @property
    def port(self) -> int:
        return httpx.URL(self.url).port or 80

    @property
    def bucket(self) -> Bucket:
        return open_bucket(str(self.home / "bucket"))

    def descendants(self) -> dict[int, str]:
        """Title of every process under this one."""
        children: dict[int, list[int]] = {}
        for process, (parent, _, _) in running().items():
            children.setdefault(parent, []).append(process)
        found: dict[int, str] = {}
        waiting = [self.process.pid]
        while waiting:
            for child in children.get(waiting.pop(), []):
                found[child] = title(child)
                waiting.append(child)
        now = running()
        self.seen |= {(process, now[process][1]) for process in found if process in now}
        return found

    def replicas(self) -> set[int]:
        return {process for process, name in self.descendants().items() if name.startswith(REPLICA_TITLE)}

    @property
    def serve_address(self) -> ServeAddress:
        return find_serve(Settings(home=self.home))

    def answering(self) -> set[int | None]:
        """Versions that the replicas answer from."""
        versions: dict[str, int | None] = {}

        def all_seen() -> bool:
            health = httpx.get(f"{self.url}/health", timeout=60).json()
            versions[health["replica"]] = health["model_version"]
            return len(versions) == self.count

        wait_until(all_seen, "all replicas answer")
        return set(versions.values())

    def is_answered_by(self, version: int) -> bool:
        return self.answering() == {version}

    def predict(self, identifier: str | None = None) -> httpx.Response:
        headers = {"X-Request-ID": identifier} if identifier else {}
        return httpx.post(f"{self.url}/predict", json=MATCH, headers=headers, timeout=60)

    def logged(self) -> list[str]:
        """Identifiers of the requests in the prediction log."""
        return [record["request_id"] for record in self.records()]

    def records(self) -> list[dict[str, Any]]:
        """Records of the prediction log; a segment may be in both places for a moment."""
        spool = [path.read_bytes() for path in self.spooled()]
        stored = [self.bucket.read(item.name) for item in self.bucket.list(f"{SEGMENTS}/")]
        return [record for data in (*spool, *stored) for record in read_segment(data)]

    def spooled(self) -> list[Path]:
        return sorted((self.home / "scratch" / "prediction_log").glob("*.jsonl"))

    def log(self) -> str:
        """What the replicas that run have written to their log files."""
        files = {
            target
            for process in self.replicas()
            for link in Path(f"/proc/{process}/fd").iterdir()
            if (target := link.readlink()).name.startswith("replica_") and target.suffix == ".log"
        }
        return "\n".join(file.read_text(encoding="utf-8") for file in sorted(files))


def running() -> dict[int, tuple[int, str, str]]:
    """Parent, start time and state of every process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            values = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        found[int(folder.name)] = (int(values[1]), values[19], values[0])
    return found


def title(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.2)


ANOTHER_CLUSTER = "127.0.0.1:9"  # of Ray, as RAY_ADDRESS names it for trainings: serving does not join it


@contextmanager
def run_server(
    home: Path, *, replicas: int, host: str = "127.0.0.1", environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """`football serve` on a home, with these variables, once all replicas run; ended with all that it started.

    There is no rate limit unless a variable sets one.

    The command leads a process group of its own.

    It may have no model in production yet.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FOOTBALL_")}
    output = home.parent / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [
                COMMAND,
                "serve",
                "--home",
                home,
                "--host",
                host,
                "--port",
                f"{port}",
                "--replicas",
                f"{replicas}",
            ],
            stdout=file,
            stderr=file,
            env={
                **inherited,
                "RAY_ADDRESS": ANOTHER_CLUSTER,
                "FOOTBALL_RATE_LIMIT": "0",
                **(environment or {}),
            },
            start_new_session=True,
        )
    server = Server(process, home, f"http://127.0.0.1:{port}", output, replicas)
    try:
        wait_until(
            lambda: process.poll() is not None or b"Ctrl-C ends it." in output.read_bytes(),
            "the server starts",
        )
        assert process.poll() is None, output.read_text()
        wait_until(lambda: len(server.replicas()) == replicas, "all replicas run")
        yield server
    finally:
        server.descendants()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        now = running()
        for number, started in server.seen:
            if number in now and now[number][1] == started:
                os.kill(number, signal.SIGKILL)
