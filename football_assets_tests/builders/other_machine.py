"""Another machine on the network of this one: a network namespace that a pair of virtual interfaces connects to it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

_NETWORK = "10.213.77"
_CONNECT = (
    "import socket, sys\n"
    "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).close()\n"
    "except OSError: sys.exit(1)"
)


@dataclass(frozen=True)
class OtherMachine:
    """Where this machine is, seen from the other one, and how a program is run there."""

    address: str
    prefix: tuple[str, ...]

    def reaches(self, port: int) -> bool:
        """Whether a TCP port of this machine takes a connection."""
        command = [*self.prefix, sys.executable, "-c", _CONNECT, self.address, str(port)]
        return subprocess.run(command).returncode == 0

    def get(self, port: int, path: str) -> str:
        """The body of a GET request to a port of this machine.

        Raises
        ------
        subprocess.CalledProcessError
            The answer is an error, or there is none.
        """
        code = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=30).read().decode())"
        command = [*self.prefix, sys.executable, "-c", code, f"http://{self.address}:{port}{path}"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def other_machine() -> Iterator[OtherMachine]:
    """Connect a network namespace to this machine.

    Without root or iproute2 it is this machine itself, which asks its own address on the network.
    """
    if os.geteuid() or not all(map(shutil.which, ("ip", "unshare", "nsenter"))):
        yield OtherMachine(_own_address(), ())
        return
    name = f"fb{os.getpid()}"
    with subprocess.Popen(["unshare", "-n", "sleep", "3600"]) as holder:
        try:
            inside = ("nsenter", "-t", str(holder.pid), "-n")
            _wait_for_namespace(holder.pid)
            octet = os.getpid() % 64 * 4  # another pair for each process
            here, there = f"{_NETWORK}.{octet + 1}", f"{_NETWORK}.{octet + 2}"
            _ip("link", "add", name, "type", "veth", "peer", "name", "away", "netns", str(holder.pid))
            _ip("address", "add", f"{here}/30", "dev", name)
            _ip("link", "set", name, "up")
            _ip("address", "add", f"{there}/30", "dev", "away", prefix=inside)
            _ip("link", "set", "away", "up", prefix=inside)
            yield OtherMachine(here, inside)
        finally:
            holder.kill()  # the interfaces go with the namespace


def _ip(*arguments: str, prefix: tuple[str, ...] = ()) -> None:
    subprocess.run([*prefix, "ip", *arguments], check=True)


def _wait_for_namespace(process: int) -> None:
    own = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{process}/ns/net").readlink() == own:
        time.sleep(0.01)


def _own_address() -> str:
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family == socket.AF_INET and not one.address.startswith("127."):
                return str(one.address)
    raise RuntimeError("This machine has no address but loopback: run as root, with iproute2.")
