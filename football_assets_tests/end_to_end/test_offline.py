"""The demo and a server of a fresh user on a machine without a network: nothing sends usage data."""

import ipaddress
import json
import os
import socket
import subprocess
import sys
from typing import Any

import pytest

from football_assets.runtime.home import project_root
from football_assets.runtime.telemetry import NO_TELEMETRY
from football_assets_tests.end_to_end.offline import DEVICE, ISOLATED, PEER

NAMESPACES = ["unshare", "--net", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
OWN_NAMES = {"localhost", "None", "", socket.gethostname()}
CACHES = (".cache/matplotlib/", ".config/matplotlib/")  # of fonts


def can_isolate() -> bool:
    """Whether this process may make a network namespace with a device of its own."""
    try:
        command = [*NAMESPACES, "ip", "link", "add", DEVICE, "type", "veth", "peer", "name", PEER]
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("offline")
    isolated = can_isolate()
    environment = {name: value for name, value in os.environ.items() if name not in NO_TELEMETRY}
    script = [sys.executable, "-m", "football_assets_tests.end_to_end.offline", str(folder)]
    done = subprocess.run(
        [*(NAMESPACES if isolated else []), *script],
        env=environment | ({ISOLATED: "1"} if isolated else {}),
        cwd=project_root(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


def test_no_python_process_connects_or_looks_a_name_up_beyond_the_machine(report: dict[str, Any]) -> None:
    assert "127.0.0.1" in report["addresses"]
    assert [address for address in report["addresses"] if not is_of_this_machine(address)] == []


def test_not_one_packet_leaves_the_machine(report: dict[str, Any]) -> None:
    if report["packets"] is None:
        pytest.skip("no network namespace can be made here")
    assert report["packets_of_a_probe"] == 1
    assert report["packets"] == 0


def test_no_device_id_or_event_database_is_left_in_the_home_of_the_user(report: dict[str, Any]) -> None:
    assert [file for file in report["files"] if not file.startswith(CACHES)] == []


def is_of_this_machine(address: str) -> bool:
    if address in OWN_NAMES:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified
