"""Whether an address can be listened on is known before a server starts."""

import socket

import pytest

from football_assets.errors import FootballError
from football_assets.runtime.listening import check_listenable, resolve_host


def test_a_host_is_resolved_to_ipv4_first() -> None:
    assert resolve_host("localhost", "") == "127.0.0.1"
    assert resolve_host("::1", "") == "::1"


@pytest.mark.parametrize("host", ["999.1.1.1", "nowhere.invalid", "a" * 300, "."])
def test_a_host_that_is_not_known_is_refused_with_the_advice(host: str) -> None:
    with pytest.raises(FootballError, match=r"is not known \(.+\): name another\."):
        check_listenable(host, 8000, "name another.")


def test_a_port_that_is_taken_is_refused_until_it_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FootballError, match=rf"127\.0\.0\.1:{port} cannot be listened on"):
            check_listenable("127.0.0.1", port, "name another.")
        with pytest.raises(FootballError, match=rf"0\.0\.0\.0:{port} cannot be listened on"):
            check_listenable("0.0.0.0", port, "name another.")
    check_listenable("127.0.0.1", port, "name another.")


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(FootballError, match=r"192\.0\.2\.1:8000 cannot be listened on"):
        check_listenable("192.0.2.1", 8000, "name another.")
