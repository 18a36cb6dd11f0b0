"""Check that an address can be listened on before a server starts, so that a taken port is one clear message."""

import socket

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
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise FootballError(
                f"{address}:{port} cannot be listened on ({error.strerror}): {advice}"
            ) from error
