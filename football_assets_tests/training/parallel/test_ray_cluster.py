"""The cluster that training uses: what is said when the one that was named is not there."""

import re
import socket

import pytest

from football_assets.errors import FootballError
from football_assets.runtime.home import project_root
from football_assets.training.parallel.ray_cluster import ray_cluster


def test_a_cluster_that_is_not_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")

    with (
        pytest.raises(
            FootballError, match=f"127.0.0.1:{port} is not reached .*ray://HEAD:10001, or unset RAY_ADDRESS"
        ),
        ray_cluster(),
    ):
        pytest.fail("there is no cluster")


def test_a_cluster_that_lets_nobody_in_is_told_with_what_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def refuse(**_: object) -> None:
        raise ConnectionError("Failed to connect.")

    monkeypatch.setattr(ray, "init", refuse)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{listener.getsockname()[1]}")

        with (
            pytest.raises(
                FootballError,
                match=r"cannot be joined \(Failed to connect.\): .*ray://HEAD:10001.*RAY_AUTH_TOKEN",
            ),
            ray_cluster(),
        ):
            pytest.fail("there is no cluster")


def test_the_page_names_the_address_that_works_from_a_machine_outside_of_the_cluster() -> None:
    page = (project_root() / "docs" / "cluster.md").read_text(encoding="utf-8")
    assert re.findall(r"export RAY_ADDRESS=(\S+)", page) == ["ray://FIRST_MACHINE:10001"]
