"""`football serve --host 0.0.0.0`: who reaches what from another machine, a second server, and the end by SIGKILL.

One start for all tests of this module, which therefore run in their order.
"""

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from football_assets_tests.builders.demo import copy_bucket
from football_assets_tests.builders.other_machine import OtherMachine, other_machine
from football_assets_tests.end_to_end.serving import COMMAND, MATCH, Server, run_server, wait_until

BURST = 30

pytestmark = pytest.mark.ray


def listening(process: psutil.Process) -> list[tuple[int, str]]:
    """TCP ports that a process listens on, with its name."""
    try:
        name, connections = process.name(), process.net_connections("tcp")
    except psutil.NoSuchProcess:
        return []
    return [(one.laddr.port, name) for one in connections if one.status == psutil.CONN_LISTEN]


@pytest.fixture(scope="module")
def server(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("open")
    copy_bucket(demo_home, folder / "home" / "bucket")
    environment = {
        "FOOTBALL_SERVE_WITHOUT_KEY": "true",
        "FOOTBALL_RATE_LIMIT": "0.01",
        "FOOTBALL_RATE_BURST": f"{BURST}",
    }
    with run_server(folder / "home", replicas=1, host="0.0.0.0", environment=environment) as server:
        yield server


def children(server: Server) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children(recursive=True)


@pytest.fixture(scope="module")
def other() -> Iterator[OtherMachine]:
    with other_machine() as found:
        yield found


def test_another_machine_is_answered(server: Server, other: OtherMachine) -> None:
    assert "<title>" in other.get(server.port, "/")
    assert f"Forecasts on http://127.0.0.1:{server.port}" in server.output.read_text()


def test_a_burst_of_one_machine_gets_429_and_another_machine_is_still_answered(
    server: Server, other: OtherMachine
) -> None:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        # Serve reloads HAProxy once it knows the replica, and then the count starts from zero.
        statuses = [client.post("/predict", json=MATCH).status_code for _ in range(4 * BURST)]
        rejected = client.post("/predict", json=MATCH)
        probes = [client.get(path).status_code for path in ("/health", "/ready", "/metrics")]

    assert statuses[:BURST] == [200] * BURST
    assert statuses[-BURST:] == [429] * BURST
    assert set(statuses) == {200, 429}
    assert (rejected.status_code, rejected.json()["status"]) == (429, 429)
    assert int(rejected.headers["retry-after"]) > BURST / 0.01
    assert probes == [200] * 3
    assert "teams" in other.get(server.port, "/teams?league=eng.1")


def test_another_machine_reaches_nothing_else_but_what_ray_guards_with_its_token(
    server: Server, other: OtherMachine
) -> None:
    ports = dict(found for process in children(server) for found in listening(process))
    assert len(ports) > 5
    reached = {port: name for port, name in ports.items() if other.reaches(port)}
    assert reached.pop(server.port) == "haproxy"
    # Serve's port for calls between replicas has no setting for its address.
    assert all(name.startswith("ray::") for name in reached.values()), reached
    assert len(reached) <= 1


def test_a_second_server_on_the_home_is_refused_with_the_address_of_the_first(server: Server) -> None:
    second = subprocess.run(
        [COMMAND, "serve", "--home", server.home, "--port", str(server.port + 1)],
        capture_output=True,
        text=True,
    )
    assert second.returncode == 1
    assert f"on http://0.0.0.0:{server.port} (process {server.process.pid})" in second.stderr


def test_when_the_command_is_killed_every_process_ends_and_the_port_is_free(server: Server) -> None:
    started = children(server)
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
