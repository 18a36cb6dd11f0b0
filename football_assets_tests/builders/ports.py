"""Ports for servers of tests."""

from football_assets.runtime.listening import free_ports

PORTS = range(10_000, 20_000)  # no connection gets one, and no `football serve` takes one for its cluster


def free_port() -> int:
    """Return a TCP port of loopback on which nothing listens.

    Neither port 0 nor a port of a closed socket will do for a server that starts later: a connection may get the port
    before it, and two HAProxies that got the same one share its requests.
    """
    return free_ports(PORTS, 1, 1)[0]
