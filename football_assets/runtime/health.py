"""Health of the servers that run on this machine, for the health check of a container.

A container runs one command, and its health check should ask what this command starts. The servers are found by the
command lines of the running processes, so one check fits every command of the images.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import httpx
import psutil

from football_assets.runtime.http import http_client

_LOOPBACK = "127.0.0.1"
CHECK_SECONDS = 15.0
WEBSERVER, CODE_LOCATION, DAEMON = "webserver", "code location", "daemon"
ENDPOINT, METRICS = "HTTP endpoint", "metrics"
# The words of a command line that start a server, with its default port; None: it listens on none.
_COMMANDS: tuple[tuple[tuple[str, ...], str, int | None], ...] = (
    (("dagster-webserver",), WEBSERVER, 3000),
    (("dagster_webserver",), WEBSERVER, 3000),
    (("dagster", "api", "grpc"), CODE_LOCATION, None),
    (("dagster", "code-server", "start"), CODE_LOCATION, None),
    (("football", "code-location"), CODE_LOCATION, 4266),
    (("football", "metrics"), METRICS, 9401),
    (("dagster-daemon", "run"), DAEMON, None),
    (("dagster._daemon", "run"), DAEMON, None),
    (("football", "serve"), ENDPOINT, None),
    (("football_assets.cli", "serve"), ENDPOINT, None),
)
_PATHS = {ENDPOINT: "/health", METRICS: "/metrics", WEBSERVER: "/server_info"}
_WORDS = 6  # a command's name is among the first words: interpreter, its options, `-m`


@dataclass(frozen=True)
class Server:
    """A running server: its kind, where it listens, and the environment of its process."""

    kind: str
    host: str
    port: int | None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def __str__(self) -> str:
        return self.kind if self.port is None else f"{self.kind} on {self.host}:{self.port}"


def running_servers(endpoint_port: int) -> list[Server]:
    """Find the servers among the processes of this machine, each once.

    Parameters
    ----------
    endpoint_port
        TCP port of an HTTP endpoint whose command line names none.
    """
    found: dict[str, Server] = {}
    for process in psutil.process_iter(["cmdline"]):
        server = server_of(process.info["cmdline"] or [], endpoint_port)
        if server is not None:
            try:
                environment = process.environ()
            except psutil.Error:  # it has ended, or belongs to another user
                continue
            found[str(server)] = Server(server.kind, server.host, server.port, environment)
    return list(found.values())


def server_of(command: Sequence[str], endpoint_port: int) -> Server | None:
    """Return the server that a command line starts; None if it starts none, or one on a Unix socket."""
    names = [Path(word).name for word in command[:_WORDS]]
    for words, kind, port in _COMMANDS:
        for start in range(len(names)):
            if tuple(names[start : start + len(words)]) == words:
                options = dict(_options(command[start + len(words) :]))
                default = endpoint_port if kind == ENDPOINT else port
                chosen = options.get("--port", options.get("-p", str(default) if default else ""))
                if kind != DAEMON and not chosen.isdecimal():
                    return None
                host = options.get("--host", options.get("-h", _LOOPBACK))
                wildcard = (
                    host in ("0.0.0.0", "::", "") or kind == ENDPOINT
                )  # the endpoint is always on loopback
                return Server(kind, _LOOPBACK if wildcard else host, int(chosen) if chosen else None)
    return None


def problem_of(server: Server) -> str | None:
    """Check a server; returns what is wrong, or None.

    The webserver and the HTTP endpoint answer a request, the code location answers gRPC's health check, and the daemon
    has recorded a recent heartbeat in Dagster's storage.
    """
    if server.kind == CODE_LOCATION:
        return _run(
            server, "dagster", "api", "grpc-health-check", "--host", server.host, "--port", str(server.port)
        )
    if server.kind == DAEMON:
        return _run(server, "dagster-daemon", "liveness-check")
    path = _PATHS[server.kind]
    host = f"[{server.host}]" if ":" in server.host else server.host
    try:
        with http_client(read_seconds=CHECK_SECONDS) as client:
            status = client.get(f"http://{host}:{server.port}{path}").status_code
    except httpx.HTTPError as error:
        return f"does not answer: {type(error).__name__}"
    return None if status == 200 else f"answers {path} with status {status}"


def _run(server: Server, program: str, *arguments: str) -> str | None:
    """Run one of Dagster's own checks in the environment of the server, whose DAGSTER_HOME it needs."""
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    environment = {**os.environ, **server.environment}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=CHECK_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"does not answer within {CHECK_SECONDS:.0f} s"
    if done.returncode == 0:
        return None
    lines = (done.stdout + done.stderr).split("\n")
    reason = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"is not healthy: {reason or f'{program} ended with exit code {done.returncode}'}"


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options of a command line with their values, as `--port 4000` and `--port=4000`."""
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        name, equals, value = word.partition("=")
        if name.startswith("-"):
            yield name, value if equals else following
