"""Addresses of servers: that a port can be listened on before a server starts, and ports that nothing listens on."""

import random
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from football_assets.errors import FootballError


def resolve_host(host: str, advice: str) -> str:
    """Return the address that a host resolves to, IPv4 before IPv6.

    Parameters
    ----------
    advice
        What to do if the host is not known, the end of the message.

    Raises
    ------
    FootballError
        The host is not known.
    """
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a host name"
        raise FootballError(f"Host {host} is not known ({reason}): {advice}") from error
    return str(min(found, key=lambda one: one[0] != socket.AF_INET)[4][0])


def check_listenable(host: str, port: int, advice: str) -> None:
    """Check that a server can listen on a port of a host.

    Parameters
    ----------
    advice
        What to do if it cannot, the end of the message.

    Raises
    ------
    FootballError
        The host is not known or not of this machine, or the port is taken.
    """
    address = resolve_host(host, advice)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe, listening_errors(address, port, advice):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))


@contextmanager
def listening_errors(address: str, port: int, advice: str) -> Iterator[None]:
    """Raise an error of the operating system in the block, which listens on a port, as a FootballError."""
    try:
        yield
    except OSError as error:
        raise FootballError(f"{address}:{port} cannot be listened on ({error.strerror}): {advice}") from error


def free_ports(ports: range, size: int, probed: int, taken: Collection[int] = ()) -> range:
    """Find consecutive ports of loopback for the servers of one process.

    Parameters
    ----------
    ports
        Where to look. Below 32768 systems assign no port to a connection, so none is taken between this call and the
        start of the servers.
    size
        Number of ports. The blocks that are tried begin at multiples of it.
    probed
        Number of ports at the start of a block on which nothing may listen: those of servers that run all the time.
    taken
        Ports that no block may have, such as one that a server of this process will listen on.

    Raises
    ------
    FootballError
        No block is free.
    """
    starts = range(ports.start, ports.stop - size + 1, size)
    for start in random.SystemRandom().sample(starts, len(starts)):
        block = range(start, start + size)
        if not any(port in block for port in taken) and all(map(_is_free, block[:probed])):
            return block
    raise FootballError(
        f"A server needs {size} free ports from {ports.start} to {ports.stop - 1}: end other servers of this machine."
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
