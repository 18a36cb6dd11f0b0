"""`make bench-serve`: throughput and latency of serving, with limits and the figures of a plain server.

The plain server is `reference_server.py`. Both get the same model and the same requests, one after the other.
The load comes from `load.py`, a process of its own that shares the machine. The limits hold for 2 cores.

Works on a copy of a home that `football demo` made, so that versions can be promoted and predictions logged.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import linear_regression, mean
from typing import Any

import orjson

from benchmarks import ROOT
from benchmarks.speed.figures import ServeFigure, report
from benchmarks.speed.load_process import LoadFigures, offer, start_load
from benchmarks.speed.log_cost import log_figures
from benchmarks.speed.processes import MIB
from benchmarks.speed.servers import (
    POLL_SECONDS,
    Server,
    cpu_seconds,
    forecast_server,
    reference_server,
    say,
)
from benchmarks.speed.workload import BATCH, Workload, prepared, second_version

BATCH_CONNECTIONS = (2, 4, 8, 16)
CONNECTIONS = (4, 8, 16, 32, 64)
STEADY_RATE = 100  # requests a second of the open loop
STEADY_CONNECTIONS = 64
MEMORY_CONNECTIONS = 16
SAMPLE_SECONDS = 5
MOST_GROWTH = 1.05  # of a replica's memory from the first third of the load to the last
MOVES = 3  # of the alias, there and back each
WARM_UP_SECONDS = 3


def main() -> int:
    """Measure, print a table, write `--json`; exit code 1 if a limit is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, help="home with a production model; default: see `prepared`")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--replicas", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=8, help="of each load at saturation")
    parser.add_argument(
        "--steady-seconds", type=float, default=30, help=f"of {STEADY_RATE} requests a second"
    )
    parser.add_argument("--rounds", type=int, default=2, help="turns of both servers")
    parser.add_argument("--minutes", type=float, default=10, help="of load while memory is watched; 0: not")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    with prepared(arguments.home) as workload:
        figures = list(measure(workload, arguments))
    title = f"{os.cpu_count()} cores, {arguments.replicas} replicas, load {load_before:.1f} before the start"
    report(figures, title, "beside", "measured / beside")
    if arguments.json:
        records = [asdict(figure) | {"ratio": figure.ratio} for figure in figures]
        arguments.json.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    return 0 if all(figure.is_within_limit for figure in figures) else 1


def measure(workload: Workload, arguments: argparse.Namespace) -> Iterator[ServeFigure]:
    """Every figure."""
    yield load_generator_figure()
    plain, ours = Turn(), Turn()
    starts = []
    for number in range(arguments.rounds):
        is_last = number == arguments.rounds - 1
        say(f"Round {number + 1} of {arguments.rounds}: the reference server …")
        with reference_server(workload.home) as server:
            plain.measure(server, workload, arguments)
        say(f"Round {number + 1} of {arguments.rounds}: football serve …")
        with forecast_server(workload.home, replicas=arguments.replicas) as server:
            starts.append(server.seconds_to_ready)
            ours.measure(server, workload, arguments)
            if is_last:
                batch = best_batch_load(server, workload, arguments.seconds)
                moves = list(alias_moves(server, workload))
                growth = list(memory_figures(server, workload, arguments.minutes))
    yield ServeFigure("cold start of `football serve` to the first 200 of /ready", min(starts), "s", most=60)
    yield from request_figures(ours, plain)
    yield from batch_figures(batch, ours.best.throughput)
    yield from log_figures(workload, ours.batch_size, ours.cpu_seconds)
    yield from moves
    yield from growth


def load_generator_figure() -> ServeFigure:
    """Throughput of the load generator at a server that does nothing."""
    ceiling = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed.load", "--ceiling", "--seconds", "3"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    most = orjson.loads(ceiling.stdout)["throughput"]
    return ServeFigure("the load generator alone, at a server that does nothing", most, "requests/s")


def best_batch_load(server: Server, workload: Workload, seconds: float) -> LoadFigures:
    """The load of batches with the most answers a second."""
    loads = [
        offer(server.port, workload.batch, seconds=seconds, connections=connections, path="/predict/batch")
        for connections in BATCH_CONNECTIONS
    ]
    return max(loads, key=lambda load: load.throughput)


def request_figures(ours: "Turn", plain: "Turn") -> Iterator[ServeFigure]:
    """Single requests: at saturation, at a steady rate, and with one connection, beside the plain server."""
    yield ServeFigure(
        f"/predict at saturation, {ours.connections} connections (reference {plain.connections})",
        ours.best.throughput,
        "requests/s",
        least=plain.best.throughput,
        reference=plain.best.throughput,
    )
    if ours.wrk and plain.wrk:
        yield ServeFigure("  the same by wrk", ours.wrk, "requests/s", reference=plain.wrk)
    for share, limit in (("p50", 10.0), ("p99", 50.0)):
        yield ServeFigure(
            f"{share} at {STEADY_RATE} requests/s",
            ours.steady.latency["200"][share],
            "ms",
            most=limit,
            reference=plain.steady.latency["200"][share],
        )
    yield ServeFigure("  of them not answered with 200", ours.steady.failed + ours.steady.unsent, "", most=0)
    for share in ("p50", "p99"):
        yield ServeFigure(
            f"{share} with one connection",
            ours.alone.latency["200"][share],
            "ms",
            reference=plain.alone.latency["200"][share],
        )


def batch_figures(batch: LoadFigures, single: float) -> Iterator[ServeFigure]:
    """Batches, beside the throughput of single requests."""
    fixtures_a_second = batch.throughput * BATCH
    yield ServeFigure(
        f"/predict/batch of {BATCH:,}",
        fixtures_a_second,
        "fixtures/s",
        least=20 * single,
        reference=single,
        reference_name="single requests",
    )
    yield ServeFigure("  p50 of one such request", batch.latency["200"]["p50"], "ms")


class Turn:
    """The best of a server's turns."""

    def __init__(self) -> None:
        self.loads: list[tuple[int, LoadFigures]] = []
        self.wrk = 0.0
        self.batch_size = 1.0
        self.cpu_seconds = 0.0  # of the replicas, for a request at saturation

    @property
    def best(self) -> LoadFigures:
        """The load with the most answers a second."""
        return max((load for _, load in self.loads), key=lambda load: load.throughput)

    @property
    def connections(self) -> int:
        """How many connections it had."""
        return next(connections for connections, load in self.loads if load is self.best)

    def measure(self, server: Server, workload: Workload, arguments: argparse.Namespace) -> None:
        """One turn: saturation with several numbers of connections, a steady rate, one connection."""
        bodies, seconds = workload.single, arguments.seconds
        offer(server.port, bodies, seconds=WARM_UP_SECONDS, connections=8)
        for connections in CONNECTIONS:
            before = _answer_totals(server)
            load = offer(server.port, bodies, seconds=seconds, connections=connections)
            cpu, fixtures, batches = (
                after - earlier for after, earlier in zip(_answer_totals(server), before, strict=True)
            )
            self.loads.append((connections, load))
            if load is self.best and batches:
                self.batch_size, self.cpu_seconds = fixtures / batches, cpu / load.statuses["200"]
            rejected = f", {load.failed} rejected" if load.failed else ""
            say(f"  {connections:3} connections: {load.throughput:6,.0f} requests/s{rejected}")
        self.wrk = max(self.wrk, wrk_throughput(server, workload, self.connections, seconds))
        self.steady = offer(
            server.port,
            bodies,
            seconds=arguments.steady_seconds,
            connections=STEADY_CONNECTIONS,
            rate=STEADY_RATE,
        )
        self.alone = offer(server.port, bodies, seconds=seconds, connections=1)


def wrk_throughput(server: Server, workload: Workload, connections: int, seconds: float) -> float:
    """Answers with 200 a second as `wrk` counts them, with the same requests; 0 where it is not installed."""
    if shutil.which("wrk") is None:
        return 0.0
    script = workload.home / "bodies.lua"
    script.write_text(
        f"""bodies, at = {{}}, 0
for line in io.lines("{workload.single}") do bodies[#bodies + 1] = line end
wrk.method, wrk.headers["Content-Type"] = "POST", "application/json"
request = function()
  at = at % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[at])
end
done = function(summary) print("answered " .. summary.requests - summary.errors.status, summary.duration) end
"""
    )
    command = ["wrk", "-t1", f"-c{connections}", f"-d{round(seconds)}s", "-s", str(script)]
    output = subprocess.run(
        [*command, f"{server.url}/predict"], check=True, capture_output=True, text=True
    ).stdout
    found = re.search(r"answered ([\d.]+)\s+([\d.]+)", output)
    assert found is not None
    return float(found[1]) / float(found[2]) * 1e6


def alias_moves(server: Server, workload: Workload) -> Iterator[ServeFigure]:
    """Seconds from a promotion to the first answer by the new version, and to the last by the old one."""
    registry = workload.registry
    first = registry.resolve("production")
    second = second_version(registry, workload.home / "scratch")
    seconds_to_first, seconds_to_all = [], []
    for version in [second, first] * MOVES:
        moved = time.perf_counter()
        registry.promote(version)
        new_at = old_at = 0.0
        while not new_at or time.perf_counter() - max(new_at, old_at) < 3:
            answered = ask(server, workload.fixtures[0])["model_version"]
            now = time.perf_counter() - moved
            if answered != version:
                old_at = time.perf_counter()
                last_old = now
            elif not new_at:
                new_at = time.perf_counter()
                seconds_to_first.append(now)
            time.sleep(POLL_SECONDS)
        seconds_to_all.append(last_old)
    name = "alias moved to first answer by the new version"
    yield ServeFigure(f"{name}, mean of {len(seconds_to_first)}", mean(seconds_to_first), "s")
    yield ServeFigure("  longest", max(seconds_to_first), "s")
    yield ServeFigure("  to the last answer by the old version, longest", max(seconds_to_all), "s")


def ask(server: Server, body: dict[str, str]) -> Any:
    """The answer to one /predict."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.url}/predict", orjson.dumps(body), headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return orjson.loads(response.read())


def memory_figures(server: Server, workload: Workload, minutes: float) -> Iterator[ServeFigure]:
    """Resident memory of the replicas under load: its means over the first and the last third, and its slope."""
    if not minutes:
        return
    say(f"Memory of the replicas over {minutes:g} minutes of load …")
    times, sizes = [], []
    started = time.perf_counter()
    with start_load(
        server.port, workload.single, seconds=minutes * 60, connections=MEMORY_CONNECTIONS
    ) as load:
        while load.is_running():
            times.append((time.perf_counter() - started) / 60)
            sizes.append(server.replica_bytes() / max(1, len(server.replicas())) / MIB)
            time.sleep(SAMPLE_SECONDS)
        answered = load.figures().statuses.get("200", 0)
    third = max(1, len(sizes) // 3)
    first, last = mean(sizes[:third]), mean(sizes[-third:])
    yield ServeFigure(
        f"memory of a replica, last third of {minutes:g} min",
        last,
        "MiB",
        most=MOST_GROWTH * first,
        reference=first,
        reference_name="first third",
    )
    yield ServeFigure(
        "  its slope over the last two thirds",
        linear_regression(times[third:], sizes[third:]).slope,
        "MiB/min",
    )
    yield ServeFigure("  requests answered meanwhile", answered, "")


def _answer_totals(server: Server) -> tuple[float, float, float]:
    """Of all replicas so far: processor seconds, fixtures forecast, inferences. Zeros for the reference server."""
    replicas = server.replicas()
    if not replicas:
        return 0.0, 0.0, 0.0
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as response:
        text = response.read().decode()
    fixtures, batches = (
        float(re.findall(rf"^football_batch_size_{part} (\S+)", text, re.MULTILINE)[0])
        for part in ("sum", "count")
    )
    return sum(map(cpu_seconds, replicas)), fixtures, batches


if __name__ == "__main__":
    sys.exit(main())
