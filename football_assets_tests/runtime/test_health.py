"""Servers found by their command lines, and what a check finds wrong with each."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from football_assets.runtime import health
from football_assets.runtime.health import Server, problem_of, running_servers, server_of
from football_assets.runtime.home import prepare_home
from football_assets_tests.builders.ports import free_port

PYTHON = "/opt/football/bin/python"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("dagster-webserver -h 0.0.0.0 -p 3001 -w workspace.yaml", "webserver on 127.0.0.1:3001"),
        ("dagster-webserver -h 10.0.0.7", "webserver on 10.0.0.7:3000"),
        (f"{PYTHON} -m dagster_webserver --host 0.0.0.0 --port=3002", "webserver on 127.0.0.1:3002"),
        (f"{PYTHON} /opt/football/bin/dagster api grpc -h 0.0.0.0 -p 4000", "code location on 127.0.0.1:4000"),
        (f"{PYTHON} -m dagster api grpc --socket /tmp/a --port none", None),
        ("dagster code-server start --port 4001 -m football_assets.definitions", "code location on 127.0.0.1:4001"),
        (f"{PYTHON} -m dagster code-server start --socket /tmp/a", None),
        (f"{PYTHON} /opt/football/bin/dagster-daemon run", "daemon"),
        (f"{PYTHON} -m dagster._daemon run --empty-workspace", "daemon"),
        ("football code-location --host 0.0.0.0 --port 4000", "code location on 127.0.0.1:4000"),
        (f"{PYTHON} /opt/football/bin/football metrics", "metrics on 127.0.0.1:9401"),
        (f"{PYTHON} /opt/football/bin/football serve", "HTTP endpoint on 127.0.0.1:8123"),
        ("python -m football_assets.cli serve --host 10.0.0.7 --port 8001", "HTTP endpoint on 127.0.0.1:8001"),
        (f"{PYTHON} /opt/football/bin/football health", None),
        (f"{PYTHON} /opt/football/bin/football demo", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_server_is_known_by_its_command_line(command: str, expected: str | None) -> None:
    server = server_of(command.split(), 8123)

    assert (server and str(server)) == expected


@pytest.fixture
def answering() -> Iterator[Callable[[int], Server]]:
    """Start an HTTP server on loopback that answers every request with one status."""
    started: list[HTTPServer] = []

    def start(status: int) -> Server:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                paths.append(self.path)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        started.append(server)
        Thread(target=server.serve_forever, daemon=True).start()
        return Server("HTTP endpoint", "127.0.0.1", server.server_port)

    paths: list[str] = []
    yield start
    for server in started:
        server.shutdown()
        server.server_close()
    assert set(paths) <= {"/health"}


def test_an_endpoint_is_healthy_if_it_answers_200(answering: Callable[[int], Server]) -> None:
    assert problem_of(answering(200)) is None
    assert problem_of(answering(500)) == "answers /health with status 500"
    assert problem_of(Server("HTTP endpoint", "127.0.0.1", free_port())) == "does not answer: ConnectError"


def test_a_code_location_that_does_not_answer_is_not_healthy() -> None:
    problem = problem_of(Server("code location", "127.0.0.1", free_port()))

    assert problem is not None
    assert problem.startswith("is not healthy: ")


def test_a_daemon_without_a_heartbeat_in_its_own_dagster_home_is_not_healthy(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_HOME", "to be restored")
    monkeypatch.setenv("DAGSTER_HOME", "")
    home = prepare_home(tmp_path_factory.mktemp("home"))
    monkeypatch.setenv("DAGSTER_HOME", "/missing")
    daemon = Server("daemon", "127.0.0.1", None, {"DAGSTER_HOME": str(home.dagster_home)})

    problem = problem_of(daemon)

    assert problem is not None
    assert "/missing" not in problem
    assert "daemon" in problem.lower()


def test_a_check_that_takes_too_long_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.0)

    assert problem_of(Server("daemon", "127.0.0.1", None)) == "does not answer within 0 s"


def test_a_running_process_is_found_with_its_environment() -> None:
    port = str(free_port())
    waits = [sys.executable, "-c", "print(flush=True); input()", "dagster-webserver", "--port", port]
    with subprocess.Popen(
        waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"DAGSTER_HOME": "/its/own"}
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = [server for server in running_servers(8000) if server.port == int(port)]
        process.communicate(b"\n")

    (server,) = found
    assert server.kind == "webserver"
    assert server.environment["DAGSTER_HOME"] == "/its/own"
