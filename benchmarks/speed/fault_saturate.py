"""The fault `saturate` of `faults.py`: four times the capacity is offered."""

import argparse
import time
from collections import Counter
from dataclasses import dataclass

from benchmarks.speed.health_watch import HealthWatch, wait_for_replicas
from benchmarks.speed.load_process import LoadFigures, offer, start_load
from benchmarks.speed.outcome import Outcome
from benchmarks.speed.processes import MIB, resident_bytes
from benchmarks.speed.servers import Server, forecast_server, say
from benchmarks.speed.workload import Workload

CAPACITY_FACTOR = 4
SATURATING_CONNECTIONS = 1_000
LONGEST_ACCEPTED_MS = 2_000
MOST_GROWTH = 1.25  # of a saturated replica's memory
LEAST_RECOVERED = 0.9  # of the throughput before


def saturate(workload: Workload, arguments: argparse.Namespace) -> Outcome:
    """Offer four times the capacity."""
    outcome = Outcome("saturate")
    with forecast_server(workload.home, replicas=arguments.replicas) as server:
        wait_for_replicas(server, arguments.replicas)
        before = capacity(server, workload)
        replicas, size = set(server.replicas()), _largest_replica(server)
        rate = CAPACITY_FACTOR * before.throughput
        say(f"saturate: capacity {before.throughput:,.0f} requests/s; {rate:,.0f} are offered …")
        sizes = [size]
        with (
            start_load(
                server.port,
                workload.single,
                seconds=arguments.saturated_seconds,
                connections=SATURATING_CONNECTIONS,
                rate=rate,
            ) as load,
            HealthWatch(server) as watch,
        ):
            while load.is_running():
                sizes.append(_largest_replica(server))
                time.sleep(1)
            figures = load.figures()
        after = capacity(server, workload)
        is_same = set(server.replicas()) == replicas
    _record(outcome, Saturation(before, figures, after, sizes, watch.statuses))
    accepted = figures.service.get("200", {})
    is_clean = set(figures.statuses) <= {"200", "503"} and not (
        figures.unclean or figures.errors or figures.unanswered
    )
    outcome.promise(is_clean, "answers are 200, or 503 with Retry-After as a problem document")
    outcome.promise(
        accepted.get("p99", float("inf")) <= LONGEST_ACCEPTED_MS,
        f"p99 of accepted requests is at most {LONGEST_ACCEPTED_MS} ms",
    )
    outcome.promise(
        max(sizes) <= MOST_GROWTH * sizes[0], f"memory grows by less than {MOST_GROWTH:.0%} of itself"
    )
    outcome.promise(is_same, "no replica was replaced")
    outcome.promise(
        after.throughput >= LEAST_RECOVERED * before.throughput,
        f"throughput afterwards is at least {LEAST_RECOVERED:.0%} of that before",
    )
    return outcome


@dataclass(frozen=True)
class Saturation:
    """Loads before, at and after saturation, bytes of the largest replica by second, and statuses of `/health`."""

    before: LoadFigures
    during: LoadFigures
    after: LoadFigures
    sizes: list[int]
    health: Counter[str]


def _record(outcome: Outcome, seen: Saturation) -> None:
    """Record and print the figures."""
    figures = seen.during
    accepted, rejected = figures.service.get("200", {}), figures.service.get("503", {})
    outcome.figures |= {
        "capacity": seen.before.throughput,
        "offered": CAPACITY_FACTOR * seen.before.throughput,
        "sent": figures.sent / figures.seconds,
        "accepted": figures.throughput,
        "statuses": figures.statuses,
        "errors": figures.errors,
        "unanswered": figures.unanswered,
        "unclean": figures.unclean,
        "accepted_ms": accepted,
        "refused_ms": rejected,
        "health_statuses": dict(seen.health),
        "replica_mib_before": seen.sizes[0] / MIB,
        "replica_mib_peak": max(seen.sizes) / MIB,
        "capacity_after": seen.after.throughput,
        "client_cpu": figures.client_cpu,
    }
    say(
        f"  {figures.sent / figures.seconds:,.0f} requests/s were sent over {SATURATING_CONNECTIONS:,} connections: "
        f"{figures.statuses}, {figures.errors}; accepted {figures.throughput:,.0f}/s, p99 {accepted.get('p99', 0):.0f} "
        f"ms; rejected in {rejected.get('p50', 0):.0f} ms (p50); largest replica {seen.sizes[0] / MIB:.0f} MiB before, "
        f"{max(seen.sizes) / MIB:.0f} at its peak; capacity afterwards {seen.after.throughput:,.0f} requests/s; "
        f"/health: {dict(seen.health)}."
    )


def capacity(server: Server, workload: Workload) -> LoadFigures:
    """The best of some closed loops, after a moment's warming up."""
    offer(server.port, workload.single, seconds=2, connections=16)
    loads = [offer(server.port, workload.single, seconds=6, connections=count) for count in (16, 32, 48)]
    return max(loads, key=lambda load: load.throughput)


def _largest_replica(server: Server) -> int:
    return max(map(resident_bytes, server.replicas()), default=0)
