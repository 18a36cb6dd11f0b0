"""The cluster that training uses: errors when the named cluster cannot be used."""

import socket
from types import SimpleNamespace

import pytest

from football_assets.errors import FootballError
from football_assets.training.parallel import ray_cluster as ray_cluster_module
from football_assets.training.parallel.ray_cluster import ray_cluster


def test_a_cluster_that_is_not_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")

    with (
        pytest.raises(FootballError, match=f"127.0.0.1:{port} cannot be reached .*unset RAY_ADDRESS"),
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
