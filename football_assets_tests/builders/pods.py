"""Pods without Kubernetes: containers of a manifest as processes in network namespaces, with the operator's commands.

A pod has an address of its own on a bridge of this machine, its own loopback, processes, folder for temporary files and
names of services. Its processes end with its first one, and that one with the process of the test. Environment and
command are those that KubeRay 1.5.1 gives the container: `ray start` with sorted parameters, after the container's own
command, in one shell.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from football_assets.runtime.home import project_root

_NETWORK = "10.213.79"
_BRIDGE = "fb"  # and the ID of the process of the test
_HOLDER = (
    "setpriv",
    "--pdeathsig=KILL",
    "unshare",
    "--net",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--propagation=private",
)
START_SECONDS = 120.0

Secrets = Mapping[str, Mapping[str, str]]


def why_not() -> str | None:
    """Return why this machine cannot run pods, or None."""
    if os.geteuid():
        return "only root makes network namespaces"
    missing = [name for name in ("ip", "setpriv", "unshare", "nsenter", "mount") if not shutil.which(name)]
    return (
        f"{', '.join(missing)} (Debian packages iproute2, util-linux) are not installed" if missing else None
    )


@dataclass
class Pod:
    """A running pod.

    Attributes
    ----------
    address
        Its own on the bridge.
    folder
        For its files.
    holder
        The process that ends when the pod does.
    first
        ID of the first process of the pod, as this machine has it.
    """

    name: str
    address: str
    folder: Path
    holder: subprocess.Popen[bytes]
    first: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def prefix(self) -> list[str]:
        """Return the command prefix that runs a command in the pod."""
        return ["nsenter", "-t", str(self.first), "-n", "-m", "-p", f"--wd={project_root()}", "--"]

    def start(self, command: list[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start a container; its output is in the file `log` of the pod's folder."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        python = str(Path(sys.executable).parent)
        values = inherited | dict(environment)
        values |= {"TMPDIR": str(self.folder), "PATH": f"{python}:{values['PATH']}", "PYTHONUNBUFFERED": "1"}
        values["GRPC_DNS_RESOLVER"] = (
            "native"  # which reads the pod's names; the other asks this machine's DNS
        )
        values["PYTHONPATH"] = str(project_root())  # which an image has installed
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*self.prefix, *command],
                env=values,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def kill(self) -> None:
        """Kill all processes of the pod at once, as in a power failure."""
        os.kill(self.first, signal.SIGKILL)
        self.holder.wait()
        for container in self.processes:
            container.wait()

    def log(self) -> str:
        """Return the output of its containers."""
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.is_file() else ""


@dataclass
class Pods:
    """The pods of a bridge, and the service names that they resolve."""

    folder: Path
    bridge: str
    services: dict[str, str] = field(default_factory=dict)
    running: list[Pod] = field(default_factory=list)
    _count: int = 1

    @property
    def gateway(self) -> str:
        """Return the address of this machine on the bridge."""
        return f"{_NETWORK}.1"

    def pod(self, name: str) -> Pod:
        """Make a pod with a new address."""
        self._count += 1
        address = f"{_NETWORK}.{self._count}"
        folder = self.folder / str(self._count)
        folder.mkdir()
        holder = subprocess.Popen([*_HOLDER, "sleep", "infinity"])
        pod = Pod(name, address, folder, holder, _first_process(holder))
        self.running.append(pod)
        outer, inner = f"{self.bridge}p{self._count}", ["nsenter", "-t", str(pod.first), "-n"]
        _ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", str(pod.first))
        _ip("link", "set", outer, "master", self.bridge, "up")
        for command in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("route", "add", "default", "via", self.gateway),
        ):
            _ip(*command, prefix=inner)
        hosts = folder / "hosts"
        hosts.touch()
        subprocess.run([*pod.prefix, "mount", "--bind", hosts, "/etc/hosts"], check=True)
        self._write_names()
        return pod

    def service(self, name: str, address: str) -> None:
        """Resolve a service name to an address in every pod from now on."""
        self.services[name] = address
        self._write_names()

    def _write_names(self) -> None:
        lines = "".join(f"{address} {name}\n" for name, address in self.services.items())
        for pod in self.running:
            (pod.folder / "hosts").write_text(
                f"127.0.0.1 localhost\n{pod.address} {os.uname().nodename}\n{lines}"
            )


@contextmanager
def pods() -> Iterator[Pods]:
    """Create a bridge on this machine; all pods end with the block."""
    _remove_old_bridges()
    bridge = f"{_BRIDGE}{os.getpid()}"
    folder = Path(tempfile.mkdtemp(prefix="fb", dir="/tmp"))  # short: Ray's sockets are below it
    found = Pods(folder, bridge)
    _ip("link", "add", bridge, "type", "bridge")
    try:
        _ip("address", "add", f"{found.gateway}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        yield found
    finally:
        for pod in found.running:
            if pod.holder.poll() is None:
                pod.kill()
        _ip("link", "delete", bridge)
        shutil.rmtree(folder, ignore_errors=True)


def container_environment(container: Mapping[str, Any], secrets: Secrets, configs: Secrets) -> dict[str, str]:
    """Return the environment of a container of a manifest, with its references resolved.

    Raises
    ------
    KeyError
        A Secret or ConfigMap that is not optional, or its key, does not exist.
    """
    values = {}
    for entry in container.get("env", []):
        source = entry.get("valueFrom", {})
        for kind, there in (("secretKeyRef", secrets), ("configMapKeyRef", configs)):
            if kind in source:
                name, key = source[kind]["name"], source[kind]["key"]
                if not source[kind].get("optional") or key in there.get(name, {}):
                    values[entry["name"]] = there[name][key]
        if "value" in entry:
            values[entry["name"]] = str(entry["value"])
    return values


def ray_start(group: Mapping[str, Any], head: str | None = None, **more: str) -> list[str]:
    """Return the command of the Ray container of a group as KubeRay 1.5.1 generates it.

    Parameters
    ----------
    group
        `headGroupSpec`, or one of `workerGroupSpecs`.
    head
        `host:port` of the head; None: the group is the head's.
    more
        Parameters that the operator adds for fault tolerance and autoscaling, with `_` for `-`.
    """
    container = group["template"]["spec"]["containers"][0]
    limits = container["resources"]["limits"]
    gpus = limits.get("nvidia.com/gpu")
    parameters = {
        "num-cpus": str(limits["cpu"]),
        "memory": str(4 << 30),
        "metrics-export-port": "8080",
        "block": "true",
        "dashboard-agent-listen-port": "52365",
        **({"num-gpus": str(gpus)} if gpus else {}),
        **({"address": head} if head else {"dashboard-host": "0.0.0.0"}),
        **group["rayStartParams"],
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    options = [
        f"--{name}" if value == "true" else f"--{name}={value}" for name, value in sorted(parameters.items())
    ]
    start = " ".join(["ulimit -n 65536; ray start", *([] if head else ["--head"]), *options])
    own = " ".join(container.get("command", []))
    return ["/bin/bash", "-c", "--", f"{own} && {start}" if own else start]


def operator_environment(head: str, worker: bool, token: str) -> dict[str, str]:
    """Return the variables that KubeRay 1.5.1 adds to a Ray container of a RayService with a token."""
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_ADDRESS": head if worker else "127.0.0.1:6379",
        "RAY_PORT": "6379",
        "RAY_USAGE_STATS_KUBERAY_IN_USE": "1",
        "RAY_timeout_ms_task_wait_for_death_info": "0",
        "RAY_gcs_server_request_timeout_seconds": "5",
        "RAY_SERVE_KV_TIMEOUT_S": "5",
        **({"RAY_gcs_rpc_server_reconnect_timeout_s": "600"} if worker else {}),
    }


def wait_for_pod(condition: Callable[[], bool], what: str, pod: Pod, seconds: float = START_SECONDS) -> None:
    """Wait until a condition holds.

    Raises
    ------
    AssertionError
        It does not in time; with the end of the pod's log.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        ended = [container.returncode for container in pod.processes if container.poll() is not None]
        assert not ended, f"{what}: a container ended with {ended}\n{pod.log()[-4000:]}"
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s\n{pod.log()[-4000:]}"
        time.sleep(0.25)


def _first_process(holder: "subprocess.Popen[bytes]") -> int:
    """Wait until the namespaces of a pod are there; returns the ID of its first process."""
    children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
    while True:
        assert holder.poll() is None, f"a pod cannot start: exit code {holder.returncode}"
        for child in children.read_text().split():
            if Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"sleep\0"):  # no longer unshare itself
                return int(child)
        time.sleep(0.01)


def _remove_old_bridges() -> None:
    """Remove the bridges of tests that were killed: they have the same network."""
    for link in Path("/sys/class/net").glob(f"{_BRIDGE}[0-9]*"):
        if (link / "bridge").exists() and not Path(f"/proc/{link.name.removeprefix(_BRIDGE)}").exists():
            _ip("link", "delete", link.name)


def _ip(*arguments: str, prefix: list[str] | None = None) -> None:
    subprocess.run([*(prefix or []), "ip", *arguments], check=True)
