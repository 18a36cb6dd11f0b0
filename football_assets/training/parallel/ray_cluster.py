"""The Ray cluster of several workers and of the sweep: the one that RAY_ADDRESS names, else a local one."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from football_assets.errors import FootballError
from football_assets.runtime.ray_private import (
    autoscaled_resources,
    listen_on_loopback_only,
    without_cloud_lookup,
)

LOOPBACK = "127.0.0.1"
_CONNECT_SECONDS = 10
_SCHEME = "://"  # ray:// or that of another client
CLIENT_PORT = 10001  # Ray's default of `ray start --ray-client-server-port`
_NODE_PROCESS = "raylet"
ENVIRONMENT = {  # read by Ray at import and at start
    # Ray then listens on loopback only, as it does on systems without clusters. No argument does this.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # otherwise a worker without a share of a GPU sees all GPUs
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # the loss of a worker counts as a failure, for any reason
    "RAY_AIR_NEW_OUTPUT": "0",  # otherwise it prints at any verbosity
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # an interrupt ends the step, as in other steps
}


@contextmanager
def ray_cluster(least_cpus: int = 1) -> Iterator[Path]:
    """Connect to the cluster that RAY_ADDRESS names, or start a local one, which ends with the context.

    Parameters
    ----------
    least_cpus
        Least number of CPUs of a local cluster, also on a machine with fewer cores: workers then share them.

    Yields
    ------
    Path
        Folder for the files of Ray's libraries, removed at the end.

    Raises
    ------
    FootballError
        The cluster that RAY_ADDRESS names is not reachable, or rejects this process, or the address is one that only
        its nodes can use.
    """
    os.environ |= {name: value for name, value in ENVIRONMENT.items() if name not in os.environ}
    import ray

    quiet = {"log_to_driver": False, "logging_level": "error"}
    with tempfile.TemporaryDirectory(prefix="football-ray-", ignore_cleanup_errors=True) as folder:
        if ray.is_initialized():
            yield Path(folder)
            return
        address = os.environ.get("RAY_ADDRESS")
        if address:
            _check_reached(address)
            _check_is_node(address)
            _join(address, quiet)
        else:
            listen_on_loopback_only()  # the variable has no effect if Ray was imported before
            cpus = max(os.cpu_count() or 1, least_cpus)
            with without_cloud_lookup(Path(folder)):
                ray.init("local", num_cpus=cpus, include_dashboard=False, _node_ip_address=LOOPBACK, **quiet)
        try:
            yield Path(folder)
        finally:
            ray.shutdown()


def _join(address: str, options: dict[str, Any]) -> None:
    import ray
    from ray.exceptions import RayError

    try:
        ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, RayError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise FootballError(
            f"Ray's cluster at {address} cannot be joined ({reason}): check RAY_ADDRESS, and set RAY_AUTH_MODE=token "
            "and RAY_AUTH_TOKEN to the token of the cluster, if it has one."
            + ("" if _SCHEME in address else f" {_for_nodes_alone(address)}")
        ) from error


def _check_is_node(address: str) -> None:
    """Check that a node of Ray runs on this machine; without one Ray would search for a minute and then fail.

    Raises
    ------
    FootballError
        The address is `host:port`, which only nodes of the cluster can use, and this machine is none.
    """
    if _SCHEME in address or not address.rpartition(":")[2].isdigit():
        return
    if not any(process.info["name"] == _NODE_PROCESS for process in psutil.process_iter(["name"])):
        raise FootballError(f"No node of Ray runs on this machine. {_for_nodes_alone(address)}")


def _for_nodes_alone(address: str) -> str:
    host = address.rpartition(":")[0]
    return (
        f"RAY_ADDRESS={address} is for machines that are nodes of that cluster. On any other, set "
        f"RAY_ADDRESS=ray://{host}:{CLIENT_PORT}, with the port of the head's --ray-client-server-port; or make this "
        f"machine a node with `ray start --address {address}`."
    )


def offered_gpus() -> float:
    """Return the GPUs of the cluster that this process is connected to, with those that its autoscaler can add."""
    import ray

    offered = float(ray.cluster_resources().get("GPU", 0))
    if not os.environ.get("RAY_ADDRESS"):
        return offered
    most = ray.get(ray.remote(num_cpus=0)(autoscaled_resources).remote())
    return max(offered, most.get("GPU", 0.0))


def _check_reached(address: str) -> None:
    """Check that something listens at `host:port`; Ray would wait for minutes and then exit this process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise FootballError(
            f"Ray's cluster at {address} cannot be reached ({error.strerror or error}): start it, or unset RAY_ADDRESS "
            "to use this machine alone."
        ) from error
