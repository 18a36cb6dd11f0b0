"""The fault `scale` of `faults.py`: a load step with autoscaling.

python -m benchmarks.speed.fault_scale --config FILE --port PORT    `football serve` with that configuration
"""

import argparse
import os
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import yaml

from benchmarks.speed.load_process import HOST, start_load
from benchmarks.speed.outcome import Outcome
from benchmarks.speed.servers import RAY_HEADERS, Server, deployments_of, forecast_server, say
from benchmarks.speed.workload import Workload

SCALING_CONNECTIONS = 48
APPLICATION, DEPLOYMENT = "football", "Forecaster"


def scale(workload: Workload, arguments: argparse.Namespace) -> Outcome:
    """A load step with autoscaling, whose delay of going down is shortened."""
    outcome = Outcome("scale")
    most = arguments.most_replicas
    config = workload.home / "config.yaml"
    config.write_text(yaml.safe_dump(_quick_config(most)), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.speed.fault_scale", "--config", str(config)]
    say(f"scale: {arguments.scale_seconds:g} s of load on 1 to {most} replicas …")
    timeline: list[tuple[float, int]] = []
    with forecast_server(workload.home, command=command) as server:
        started = time.perf_counter()
        with start_load(
            server.port, workload.single, seconds=arguments.scale_seconds, connections=SCALING_CONNECTIONS
        ) as load:
            timeline.append((0, running_replicas(server)))
            while load.is_running():
                time.sleep(0.5)
                timeline.append((time.perf_counter() - started, running_replicas(server)))
            figures = load.figures()
        ended = timeline[-1][0]
        while timeline[-1][0] - ended < 90 and timeline[-1][1] != 1:
            time.sleep(0.5)
            timeline.append((time.perf_counter() - started, running_replicas(server)))
    counts = [count for _, count in timeline]
    up = next((seconds for seconds, count in timeline if count == most), None)
    down = timeline[-1][0] - ended if counts[-1] == 1 else None
    outcome.figures |= {
        "timeline": [[round(seconds, 1), count] for seconds, count in timeline],
        "seconds_to_most": up,
        "seconds_from_end_of_load_to_one": down,
        "statuses": figures.statuses,
        "errors": figures.errors,
        "throughput_by_second": [answers for answers, *_ in figures.timeline],
    }
    for seconds, count in _changes(timeline, ended):
        say(f"  {seconds:5.1f} s  {count}  {'████ ' * count}{'  the load ends' if seconds == ended else ''}")
    say(f"  {figures.statuses}, {figures.errors}; load from 0 to {ended:.0f} s")
    outcome.promise(counts[0] == 1, "it starts with one replica")
    outcome.promise(max(counts) == most, f"under load there are {most}")
    outcome.promise(counts[-1] == 1, "afterwards there is one again")
    outcome.promise(figures.failed == 0, "no request fails")
    return outcome


def running_replicas(server: Server) -> int:
    """How many replicas Serve says are running."""
    request = urllib.request.Request(f"{server.dashboard}/api/serve/applications/", headers=RAY_HEADERS)
    with urllib.request.urlopen(request, timeout=10) as response:
        details = orjson.loads(response.read())
    replicas = details["applications"][APPLICATION]["deployments"][DEPLOYMENT]["replicas"]
    return sum(replica["state"] == "RUNNING" for replica in replicas)


def _quick_config(most: int) -> dict[str, Any]:
    """Serve's configuration with a bound of its own and short delays; replicas share the cores."""
    from serve.launch import CONFIG

    config: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    for deployment in deployments_of(config):
        deployment["autoscaling_config"] |= {"max_replicas": most, "downscale_delay_s": 10}
        deployment["ray_actor_options"]["num_cpus"] = min(1, (os.cpu_count() or 1) / most)
    return config


def _changes(timeline: list[tuple[float, int]], ended: float) -> Iterator[tuple[float, int]]:
    """The moments at which the count changed, the end of the load, and the last one."""
    before = None
    for seconds, count in timeline:
        if count != before or seconds in (ended, timeline[-1][0]):
            yield seconds, count
        before = count


def main() -> None:
    """Serve with a configuration of its own, in a process of its own."""
    from football_assets.runtime.home import prepare_home
    from serve.launch import serve_forecasts

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="configuration of Serve")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    serve_forecasts(prepare_home(), host=HOST, port=arguments.port, say=say, config=arguments.config)


if __name__ == "__main__":
    main()
