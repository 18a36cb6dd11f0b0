"""Measure the cost of the rate limit: throughput with a limit that is never reached, and without a limit.

Servers with and without a limit are measured in turn, with the same model and the same requests: python -m
benchmarks.speed.bench_rate_limit --home HOME
"""

import argparse
from pathlib import Path

from benchmarks.speed.load_process import offer
from benchmarks.speed.servers import NO_RATE_LIMIT, forecast_server, say
from benchmarks.speed.workload import prepared

CONNECTIONS = 8
WARM_UP_SECONDS = 3
OUT_OF_REACH = {"FOOTBALL_RATE_LIMIT": "1000000", "FOOTBALL_RATE_BURST": "10000000"}


def main() -> None:
    """Measure, and print the throughput of each load and the ratio of the best ones."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, help="home with a production model; default: see `prepared`")
    parser.add_argument("--seconds", type=float, default=8, help="of each load")
    parser.add_argument("--rounds", type=int, default=3, help="loads of each server")
    parser.add_argument("--turns", type=int, default=2, help="servers of each kind")
    arguments = parser.parse_args()
    kinds = {"with a limit": OUT_OF_REACH, "without": NO_RATE_LIMIT}
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    with prepared(arguments.home) as workload:
        for _ in range(arguments.turns):
            for kind, variables in kinds.items():
                with forecast_server(workload.home, replicas=1, variables=variables) as server:
                    offer(server.port, workload.single, seconds=WARM_UP_SECONDS, connections=CONNECTIONS)
                    for _ in range(arguments.rounds):
                        load = offer(
                            server.port, workload.single, seconds=arguments.seconds, connections=CONNECTIONS
                        )
                        if load.failed:
                            raise SystemExit(
                                f"{load.failed} requests failed {kind}: the figures mean nothing."
                            )
                        found[kind].append(load.throughput)
                        say(f"  {kind:12} {load.throughput:6,.0f} requests/s")
    limited, free = (
        max(found[kind]) for kind in kinds
    )  # other processes of the machine can only lower the throughput
    say(
        f"The best throughput with a limit is {limited / free:.3f} times that without ({CONNECTIONS} connections)."
    )


if __name__ == "__main__":
    main()
