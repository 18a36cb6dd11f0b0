"""`football serve --host 0.0.0.0`: who reaches what from another machine, a second server, and the end by SIGKILL.

One start for all tests of this module, which therefore run in their order.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from football_assets_tests.demo import copy_bucket
from football_assets_tests.other_machine import OtherMachine, other_machine

COMMAND = str(Path(sys.executable).with_name("football"))
PATIENCE_SECONDS = 300.0  # nothing here is a measurement


@dataclass(frozen=True)
class Server:
    process: "subprocess.Popen[bytes]"
    home: Path
    port: int
    output: Path
    environment: dict[str, str]

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.1)


def listening(process: psutil.Process) -> list[tuple[int, str]]:
    """TCP ports that a process listens on, with its name."""
    try:
        name, connections = process.name(), process.net_connections("tcp")
    except psutil.NoSuchProcess:
        return []
    return [(one.laddr.port, name) for one in connections if one.status == psutil.CONN_LISTEN]


@pytest.fixture(scope="module")
def server(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("open") / "home"
    home.mkdir()
    copy_bucket(demo_home, home / "bucket")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOOTBALL_")}
    environment["FOOTBALL_HOME"] = str(home)
    output = home.parent / "output"
    command = [COMMAND, "serve", "--host", "0.0.0.0", "--port", str(port), "--replicas", "1"]
    with (
        output.open("wb") as file,
        subprocess.Popen(command, stdout=file, stderr=file, env=environment) as process,
    ):
        try:
            wait_until(
                lambda: process.poll() is not None or b"Forecasts on" in output.read_bytes(),
                "the server starts",
            )
            assert process.poll() is None, output.read_text()
            yield Server(process, home, port, output, environment)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def other() -> Iterator[OtherMachine]:
    with other_machine() as found:
        yield found


def test_another_machine_is_answered(server: Server, other: OtherMachine) -> None:
    assert "<title>" in other.get(server.port, "/")
    assert f"Forecasts on http://127.0.0.1:{server.port}" in server.output.read_text()


def test_another_machine_reaches_nothing_else_but_what_ray_guards_with_its_token(
    server: Server, other: OtherMachine
) -> None:
    ports = dict(found for process in server.descendants() for found in listening(process))
    assert len(ports) > 5
    reached = {port: name for port, name in ports.items() if other.reaches(port)}
    assert reached.pop(server.port) == "haproxy"
    # Serve's port for calls between replicas has no setting for its address.
    assert all(name.startswith("ray::") for name in reached.values()), reached
    assert len(reached) <= 1


def test_a_second_server_on_the_home_is_refused_with_the_address_of_the_first(server: Server) -> None:
    second = subprocess.run(
        [COMMAND, "serve", "--port", str(server.port + 1)],
        env=server.environment,
        capture_output=True,
        text=True,
    )
    assert second.returncode == 1
    assert f"on http://0.0.0.0:{server.port} (process {server.process.pid})" in second.stderr


def test_when_the_command_is_killed_every_process_ends_and_the_port_is_free(server: Server) -> None:
    started = server.descendants()
    titles = [process.name() for process in started]
    assert any(re.match("haproxy", title) for title in titles)
    assert any(title.startswith("ray::Serve") for title in titles)

    server.process.kill()
    server.process.wait()

    def left() -> list[psutil.Process]:
        return [one for one in started if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]

    wait_until(lambda: not left(), "its processes end")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("0.0.0.0", server.port))
