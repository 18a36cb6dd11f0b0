"""The cluster that training uses: what is said when the one that was named is not there."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from football_assets.errors import FootballError
from football_assets.training.parallel import ray_cluster as ray_cluster_module
from football_assets.training.parallel.ray_cluster import offered_gpus, ray_cluster
from football_assets.training.parallel.worker_inputs import is_one_machine


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose name leaves Ray room for its sockets, whose paths have at most 107 characters."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def test_a_cluster_that_is_not_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")

    with (
        pytest.raises(FootballError, match=f"127.0.0.1:{port} is not reached .*unset RAY_ADDRESS"),
        ray_cluster(),
    ):
        pytest.fail("there is no cluster")


def test_an_address_for_nodes_on_a_machine_that_is_none_is_told_with_what_to_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import psutil

    monkeypatch.setattr(psutil, "process_iter", lambda _: iter([SimpleNamespace(info={"name": "python"})]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")

        with (
            pytest.raises(FootballError, match="No node of Ray runs on this machine") as raised,
            ray_cluster(),
        ):
            pytest.fail("this machine is no node")

    assert "set RAY_ADDRESS=ray://127.0.0.1:10001" in str(raised.value)
    assert f"ray start --address 127.0.0.1:{port}" in str(raised.value)


def test_a_client_reaches_a_cluster_without_being_a_node_and_gets_its_tensors_as_arrays(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head runs in a process of its own, as on another machine."""
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        ports = [server.getsockname()[1] for server in (first, second)]
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    command = [
        *(Path(sys.executable).parent / "ray", "start", "--head", "--block", "--disable-usage-stats"),
        *("--node-ip-address", "127.0.0.1", "--port", ports[0], "--ray-client-server-port", ports[1]),
        *("--num-cpus", "1", "--include-dashboard=false", "--temp-dir", short_folder),
    ]
    head = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(ports[1], head)
        monkeypatch.setenv("RAY_ADDRESS", f"ray://127.0.0.1:{ports[1]}")
        with ray_cluster():
            assert not is_one_machine()  # though the only node is on this one
            assert offered_gpus() == 0
    finally:
        head.terminate()
        head.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while True:
        assert process.poll() is None, "the head has ended"
        assert time.monotonic() < deadline, "the head does not start"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)


def test_a_cluster_that_lets_nobody_in_is_told_with_what_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray_cluster_module, "_check_is_node", lambda address: None)

    def refuse(**_: object) -> None:
        raise ConnectionError("Failed to connect.")

    monkeypatch.setattr(ray, "init", refuse)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{listener.getsockname()[1]}")

        with (
            pytest.raises(FootballError, match=r"cannot be joined \(Failed to connect.\): .*RAY_AUTH_TOKEN"),
            ray_cluster(),
        ):
            pytest.fail("there is no cluster")
