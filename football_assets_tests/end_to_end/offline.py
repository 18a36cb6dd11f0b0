"""Runs the demo and a server as a fresh user whose machine reaches only itself, and reports what they tried.

    python -m football_assets_tests.end_to_end.offline FOLDER

`test_offline.py` starts it in a network namespace of its own. There a pair of devices that leads nowhere is the only
way out, and its counter of sent packets counts every attempt, also of native code. Where no namespace can be made, only
Python's own sockets are observed. `FOLDER/report.json` holds the packets and those of a probe sent afterwards (null
without a namespace), the addresses that Python processes asked for, and the files in the fresh HOME.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from football_assets_tests.builders.ports import free_port
from football_assets_tests.end_to_end.installation import program

PATIENCE_SECONDS = 300.0
DEVICE, PEER = "away0", "away1"
ISOLATED = "FOOTBALL_TESTS_ISOLATED"  # set where the process has a network namespace of its own
RECORD = "FOOTBALL_TESTS_ADDRESSES"
MATCH = {"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"}
# Connecting a datagram socket sends nothing: Ray finds its own address so.
RECORDER = f"""
import os, socket, sys

def record(event, arguments):
    if event == "socket.connect" and arguments[0].type & socket.SOCK_STREAM and isinstance(arguments[1], tuple):
        address = arguments[1][0]
    elif event == "socket.getaddrinfo":
        address = arguments[0]
    else:
        return
    with open(os.environ["{RECORD}"], "a") as file:
        file.write(f"{{address}}\\n")

if "{RECORD}" in os.environ:
    sys.addaudithook(record)
"""


def main(folder: Path) -> None:
    """Run both, and write the report."""
    if ISOLATED in os.environ:
        _lead_everything_away(folder)
    user, code, addresses = folder / "user", folder / "code", folder / "addresses"
    user.mkdir()
    code.mkdir()
    addresses.touch()
    (code / "sitecustomize.py").write_text(RECORDER)
    ours = ("FOOTBALL_", "XDG_", "WANDB_", "DAGSTER_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment.pop("CI", None)  # some libraries send nothing where it is set
    environment |= {
        "HOME": str(user),
        "FOOTBALL_HOME": str(folder / "home"),
        "PYTHONPATH": str(code),
        RECORD: str(addresses),
    }
    subprocess.run([program("football"), "demo"], env=environment, cwd=folder, check=True)
    _serve_once(environment, folder)
    isolated = ISOLATED in os.environ
    report = {
        "packets": _packets() if isolated else None,
        "packets_of_a_probe": _probe() if isolated else None,
        "addresses": sorted(set(addresses.read_text().split())),
        "files": sorted(str(file.relative_to(user)) for file in user.rglob("*") if file.is_file()),
    }
    (folder / "report.json").write_text(json.dumps(report))


def _serve_once(environment: dict[str, str], folder: Path) -> None:
    """Start a server, ask it for a forecast, and end it."""
    port = free_port()
    with (folder / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            [program("football"), "serve", "--port", str(port), "--replicas", "1"],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            answer = _ask(f"http://127.0.0.1:{port}/predict", server, folder / "serve.log")
            assert abs(sum(answer["probabilities"].values()) - 1) < 1e-5
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(PATIENCE_SECONDS)


def _ask(url: str, server: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            answer = httpx.post(url, json=MATCH, timeout=60)
            if answer.status_code == 200:
                found: dict[str, Any] = answer.json()
                return found
        time.sleep(0.5)
    raise RuntimeError(f"The server does not answer: {log.read_text(errors='replace')}")


def _lead_everything_away(folder: Path) -> None:
    """Give the namespace a loopback, and a device that counts and drops everything else, name servers included."""
    resolver = folder / "resolv.conf"
    resolver.write_text("nameserver 192.0.2.53\noptions timeout:1 attempts:1\n")
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["ip", "link", "add", DEVICE, "type", "veth", "peer", "name", PEER],
        *(
            ["ip", "link", "set", end, "addrgenmode", "none"] for end in (DEVICE, PEER)
        ),  # or the kernel greets
        ["ip", "address", "add", "192.0.2.1/24", "dev", DEVICE],
        *(["ip", "link", "set", end, "up", "arp", "off", "multicast", "off"] for end in (DEVICE, PEER)),
        ["ip", "route", "add", "default", "dev", DEVICE],
        ["mount", "--bind", str(resolver), "/etc/resolv.conf"],
    ):
        subprocess.run(command, check=True)


def _packets() -> int:
    """Packets that were sent away since the namespace was made."""
    shown = subprocess.run(
        ["ip", "-statistics", "-json", "link", "show", DEVICE], check=True, capture_output=True
    )
    (link,) = json.loads(shown.stdout)
    return int(link["stats64"]["tx"]["packets"])


def _probe() -> int:
    """Packets that are counted when one is sent away."""
    before = _packets()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as away:
        away.sendto(b"probe", ("198.51.100.1", 9))
    return _packets() - before


if __name__ == "__main__":
    main(Path(sys.argv[1]))
