"""Ports for servers of tests."""

import random
import socket

PORTS = range(10_000, 20_000)  # no connection gets one, and no `football serve` takes one for its cluster


def free_port() -> int:
    """Return a TCP port of loopback on which nothing listens.

    Neither port 0 nor a port of a closed socket will do for a server that starts later: a connection may get the port
    before it, and two HAProxies that got the same one share its requests.
    """
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError(f"Servers listen on all ports of {PORTS}.")
