"""Faults of `faults.py` that come from outside the server: clients that send slowly, and signals that end it."""

import argparse
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import psutil

from benchmarks.speed.load_process import HOST, offer
from benchmarks.speed.outcome import Outcome
from benchmarks.speed.servers import Server, forecast_server, say
from benchmarks.speed.workload import Workload
from serve.haproxy import REQUEST_SECONDS
from serve.launch import status_of

SLOW_CLIENTS = 110
HELD_SECONDS = 70
LOAD_SECONDS = REQUEST_SECONDS + 2
ENDED_SECONDS = 5
PATIENCE_SECONDS = 60
_HEAD = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"


def slow(workload: Workload, arguments: argparse.Namespace) -> Outcome:
    """Hold connections on which 9 of a body's 500 bytes came, while other clients ask."""
    outcome = Outcome("slow")
    say(f"slow: {SLOW_CLIENTS} clients send the head of a request and 9 of 500 bytes …")
    with forecast_server(workload.home, replicas=arguments.replicas) as server, ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection((HOST, server.port))) for _ in range(SLOW_CLIENTS)
        ]
        for client in clients:
            client.settimeout(HELD_SECONDS)
            client.sendall(_HEAD + b'{"league"')
        health = Counter(
            status_of(f"{server.url}{path}") for path in ("/health", "/ready") for _ in range(20)
        )
        figures = offer(server.port, workload.single, seconds=LOAD_SECONDS, connections=16)
        answers = Counter(_status(client) for client in clients)
    outcome.figures |= {
        "statuses": figures.statuses,
        "errors": figures.errors,
        "throughput": figures.throughput,
        "health_statuses": {str(status): count for status, count in health.items()},
        "slow_statuses": dict(answers),
    }
    say(
        f"  others: {figures.statuses}, {figures.errors}, {figures.throughput:,.0f} requests/s; "
        f"/health and /ready: {dict(health)}; slow clients: {dict(answers)}."
    )
    outcome.promise(figures.sent > 0 and not figures.failed, "every other client is answered")
    outcome.promise(set(health) == {200}, "/health and /ready are answered")
    outcome.promise(set(answers) == {"408"}, "slow clients get 408")
    return outcome


def end(workload: Workload, arguments: argparse.Namespace) -> Outcome:
    """End the server in each way that a person, systemd and the kernel do."""
    outcome = Outcome("end")
    ways: dict[str, Callable[[int], None]] = {
        "SIGTERM to the process group": lambda pid: os.killpg(pid, signal.SIGTERM),
        "SIGKILL to the command": lambda pid: os.kill(pid, signal.SIGKILL),
    }
    say("end: how long processes stay after the command has ended …")
    for way, send in ways.items():
        with forecast_server(workload.home, replicas=1) as server:
            seconds = _end(server, send)
        outcome.figures[way] = round(seconds, 1)
        outcome.promise(
            seconds <= ENDED_SECONDS,
            f"{way}: {seconds:.1f} s after its end nothing of it runs, and the port is free",
        )
    return outcome


def _end(server: Server, send: Callable[[int], None]) -> float:
    """Seconds from the end of the command to that of its last process."""
    processes = psutil.Process(server.process.pid).children(recursive=True)
    send(server.process.pid)
    server.process.wait(PATIENCE_SECONDS)
    ended = time.perf_counter()
    _, left = psutil.wait_procs(processes, PATIENCE_SECONDS)
    seconds = time.perf_counter() - ended
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, server.port))
    return float("inf") if left else seconds


def _status(client: socket.socket) -> str:
    """The status of the answer on a connection."""
    try:
        return client.recv(1 << 16).split(b" ", 2)[1].decode()
    except (OSError, IndexError) as error:
        return type(error).__name__
