"""Whether an address can be listened on is known before a server starts."""

import socket

import pytest

from football_assets.errors import FootballError
from football_assets.runtime.listening import check_listenable, free_ports, resolve_host


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


def test_a_block_of_ports_has_none_on_which_a_server_listens() -> None:
    """The HAProxy of another cluster would share its port."""
    ports = free_ports(range(10_000, 20_000), 20, 20)
    first = free_ports(ports, 10, 2)
    (other,) = {ports[:10], ports[10:]} - {first}
    with socket.socket() as proxy:
        proxy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        proxy.bind(("127.0.0.1", first[1]))
        proxy.listen()
        assert {free_ports(ports, 10, 2) for _ in range(20)} == {other}
        with pytest.raises(
            FootballError, match=f"needs 10 free ports from {ports[0]} to {ports[-1]}: end other servers"
        ):
            free_ports(ports, 10, 2, taken=[other[-1]])
        assert free_ports(first, 10, 1) == first, "the other ports of a block are not probed"
