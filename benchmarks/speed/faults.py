"""`make faults`: fault injection on a running `football serve` under load.

    python -m benchmarks.speed.faults [kill] [swap] [saturate] [scale] [slow] [end]    all six by default

- kill: a replica is killed. Every answered request is in the prediction log; all replicas answer again within 15 s.
- swap: the served version changes 20 times, by alias and by `user_config`. No request fails, no answer mixes versions.
- saturate: four times the capacity is offered. Memory stays bounded, 503 responses are complete, capacity recovers.
- scale: replicas come with the load and go with it.
- slow: 110 clients send a part of a request. They get 408; all others, `/health` and `/ready` are answered.
- end: SIGTERM to the process group, SIGKILL to the command. 5 s after it has ended nothing runs; the port is free.

Each prints a summary and its figures as JSON. Exit code 1 if a check fails.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import yaml

from benchmarks.speed.bench import resident_bytes
from benchmarks.speed.bench_serve import MIB
from benchmarks.speed.interruptions import end, slow
from benchmarks.speed.load_process import HOST, LoadFigures, offer, start_load
from benchmarks.speed.outcome import Outcome
from benchmarks.speed.servers import RAY_HEADERS, Server, forecast_server, say
from benchmarks.speed.workload import Workload, prepared, second_version

RECOVERY_SECONDS = 15
SWAPS = 20
CAPACITY_FACTOR = 4
SATURATING_CONNECTIONS = 1_000
LONGEST_ACCEPTED_MS = 2_000
MOST_GROWTH = 1.25  # of a saturated replica's memory
LEAST_RECOVERED = 0.9  # of the throughput before
POLL_SECONDS = 0.05
SETTLED_SECONDS = 1.0  # all answers in this time are by the new version: the swap is over
SWAP_SECONDS = 30
SCALING_CONNECTIONS = 48
APPLICATION, DEPLOYMENT = "football", "Forecaster"


def main() -> int:
    """Cause the faults asked for; exit code 1 if a promise is broken."""
    faults: dict[str, Callable[[Workload, argparse.Namespace], Outcome]] = {
        "kill": kill,
        "swap": swap,
        "saturate": saturate,
        "scale": scale,
        "slow": slow,
        "end": end,
    }
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=", ".join(faults))
    parser.add_argument(
        "--home", type=Path, help="home with a production model; default: as of bench_serve.py"
    )
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--replicas", type=int, default=2, help="of all faults but scale")
    parser.add_argument("--swaps", type=int, default=SWAPS)
    parser.add_argument("--saturated-seconds", type=float, default=60)
    parser.add_argument("--scale-seconds", type=float, default=40, help="of the load step")
    parser.add_argument("--most-replicas", type=int, default=2, help="bound of the autoscaling")
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.config is not None:
        _serve(arguments.config, arguments.port)
        return 0
    if unknown := set(arguments.faults) - set(faults):
        parser.error(f"there is no fault {', '.join(sorted(unknown))}: choose from {', '.join(faults)}")
    outcomes = []
    for name in arguments.faults or faults:
        with prepared(arguments.home) as workload:
            outcome = faults[name](workload, arguments)
        outcomes.append({"fault": name, "broken": outcome.broken, **outcome.figures})
        sys.stdout.write(json.dumps(outcomes[-1]) + "\n")
        sys.stdout.flush()
    if arguments.json:
        arguments.json.write_text(json.dumps(outcomes, indent=2) + "\n", encoding="utf-8")
    return 1 if any(outcome["broken"] for outcome in outcomes) else 0


def kill(workload: Workload, arguments: argparse.Namespace) -> Outcome:
    """SIGKILL a replica while single and batch requests are being answered."""
    outcome = Outcome("kill")
    say(f"kill: SIGKILL to one of {arguments.replicas} replicas under load …")
    ids = [workload.home / "single.ids", workload.home / "batch.ids"]
    with forecast_server(workload.home, replicas=arguments.replicas) as server:
        before = wait_for_replicas(server, arguments.replicas)
        with (
            start_load(server.port, workload.single, seconds=40, connections=16, ids=ids[0]) as single,
            start_load(
                server.port, workload.batch, seconds=40, connections=1, path="/predict/batch", ids=ids[1]
            ) as batch,
        ):
            time.sleep(8)
            victim = server.replicas()[0]
            os.kill(victim, signal.SIGKILL)
            killed = time.perf_counter()
            with _Watch(server) as watch:
                while single.is_running() and len(watch.answering_since(killed) - before) < 1:
                    time.sleep(POLL_SECONDS)
                recovered = time.perf_counter() - killed
                is_recovered = len(watch.answering_since(killed) - before) >= 1
            singles, batches = single.figures(), batch.figures()
        after = wait_for_replicas(server, arguments.replicas)
    answered = [line for file in ids for line in file.read_text().splitlines()]
    logged = Counter(logged_ids(workload))
    missing = [identifier for identifier in answered if identifier not in logged]
    twice = sum(count > 1 for count in logged.values())
    outcome.figures |= {
        "answered": len(answered),
        "not_in_log": len(missing),
        "logged_twice": twice,
        "failed_requests": singles.failed + batches.failed,
        "statuses": _added(singles.statuses, batches.statuses),
        "errors": _added(singles.errors, batches.errors),
        "unclean": _added(singles.unclean, batches.unclean),
        "seconds_without_answer": round(singles.longest_gap_seconds, 3),
        "seconds_to_recovery": round(recovered, 2),
        "timeline": singles.timeline,
    }
    say(
        f"  {len(answered):,} answered forecasts, {len(missing)} of them not in the log, {twice} twice; "
        f"{outcome.figures['failed_requests']} of {singles.sent + batches.sent:,} requests failed "
        f"({outcome.figures['statuses']}, {outcome.figures['errors']}); no answer for "
        f"{singles.longest_gap_seconds:.2f} s at most, a new replica answered after {recovered:.1f} s."
    )
    outcome.promise(bool(answered) and not missing, "every answered request is in the log")
    outcome.promise(not twice, "no request is in the log twice")
    outcome.promise(
        is_recovered and recovered < RECOVERY_SECONDS and len(after) >= arguments.replicas,
        f"all replicas answer again within {RECOVERY_SECONDS} s",
    )
    return outcome


def swap(workload: Workload, arguments: argparse.Namespace) -> Outcome:
    """Change the version under load: half of the times by the alias, half by `user_config`."""
    outcome = Outcome("swap")
    registry = workload.registry
    first = registry.resolve("production")
    second = second_version(registry, workload.home / "scratch")
    truth = workload.home / "truth.json"
    forecasts = {version: true_forecasts(workload, version) for version in (first, second)}
    truth.write_bytes(orjson.dumps({str(version): rows for version, rows in forecasts.items()}))
    apart = min(
        max(abs(p - q) for p, q in zip(one, other, strict=True))
        for one, other in zip(*forecasts.values(), strict=True)
    )
    if apart < 1e-3:
        raise SystemExit("The two versions forecast the same somewhere: swaps would not show.")
    say(f"swap: {arguments.swaps} changes of the version under load …")
    seconds: list[float] = []
    with forecast_server(workload.home, replicas=arguments.replicas) as server:
        wait_for_replicas(server, arguments.replicas)
        with (
            start_load(
                server.port,
                workload.single,
                seconds=arguments.swaps * SWAP_SECONDS,
                connections=8,
                truth=truth,
            ) as load,
            _Watch(server) as watch,
        ):
            time.sleep(2)
            for number in range(arguments.swaps):
                version = second if number % 2 == 0 else first
                started = time.perf_counter()
                if number < arguments.swaps // 2:
                    registry.promote(version)
                else:
                    deploy(server, arguments.replicas, version)
                while not watch.is_settled(version, started):
                    if time.perf_counter() - started > SWAP_SECONDS:
                        outcome.promise(False, f"swap {number + 1} to version {version} takes place")
                        break
                    time.sleep(POLL_SECONDS)
                seconds.append(watch.last_other(version, started) - started)
            time.sleep(1)
            load.interrupt()
            figures = load.figures()
    half = arguments.swaps // 2
    outcome.figures |= {
        "swaps": len(seconds),
        "requests": figures.sent,
        "failed_requests": figures.failed,
        "statuses": figures.statuses,
        "errors": figures.errors,
        "versions": figures.versions,
        "without_version": figures.without_version,
        "wrong_forecasts": figures.wrong_forecasts,
        "longest_gap_seconds": round(figures.longest_gap_seconds, 3),
        "max_ms": figures.latency["200"]["max"],
        "timeline": figures.timeline,
        "seconds_by_alias": [round(value, 2) for value in seconds[:half]],
        "seconds_by_user_config": [round(value, 2) for value in seconds[half:]],
    }
    say(
        f"  {figures.sent:,} requests, by version {figures.versions}; {figures.failed} failed, "
        f"{figures.wrong_forecasts} with another version's forecast, slowest "
        f"{figures.latency['200']['max']:.0f} ms. The old version's last answer came after "
        f"{max(seconds[:half], default=0):.1f} s at most by alias, {max(seconds[half:], default=0):.1f} s by "
        "user_config."
    )
    outcome.promise(figures.failed == 0, "no request fails")
    outcome.promise(
        figures.wrong_forecasts == figures.without_version == 0,
        "every answer is made by the version it names",
    )
    outcome.promise(len(figures.versions) == 2, "both versions answered")
    return outcome


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
            _Watch(server) as watch,
        ):
            while load.is_running():
                sizes.append(_largest_replica(server))
                time.sleep(1)
            figures = load.figures()
        health = watch.statuses
        after = capacity(server, workload)
        is_same = set(server.replicas()) == replicas
    accepted, rejected = figures.service.get("200", {}), figures.service.get("503", {})
    outcome.figures |= {
        "capacity": before.throughput,
        "offered": rate,
        "sent": figures.sent / figures.seconds,
        "accepted": figures.throughput,
        "statuses": figures.statuses,
        "errors": figures.errors,
        "unanswered": figures.unanswered,
        "unclean": figures.unclean,
        "accepted_ms": accepted,
        "refused_ms": rejected,
        "health_statuses": dict(health),
        "replica_mib_before": sizes[0] / MIB,
        "replica_mib_peak": max(sizes) / MIB,
        "capacity_after": after.throughput,
        "client_cpu": figures.client_cpu,
    }
    say(
        f"  {figures.sent / figures.seconds:,.0f} requests/s were sent over {SATURATING_CONNECTIONS:,} connections: "
        f"{figures.statuses}, {figures.errors}; accepted {figures.throughput:,.0f}/s, p99 {accepted.get('p99', 0):.0f} "
        f"ms; rejected in {rejected.get('p50', 0):.0f} ms (p50); largest replica {sizes[0] / MIB:.0f} MiB before, "
        f"{max(sizes) / MIB:.0f} at its peak; capacity afterwards {after.throughput:,.0f} requests/s; "
        f"/health: {dict(health)}."
    )
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


def scale(workload: Workload, arguments: argparse.Namespace) -> Outcome:
    """A load step with autoscaling, whose delay of going down is shortened."""
    outcome = Outcome("scale")
    most = arguments.most_replicas
    config = workload.home / "config.yaml"
    config.write_text(yaml.safe_dump(_quick_config(most)), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.speed.faults", "--config", str(config)]
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


class _Watch:
    """Asks /health all the time, each time on a new connection, and notes who answered, and by which version."""

    def __init__(self, server: Server) -> None:
        self.statuses: Counter[str] = Counter()
        self._server = server
        self._seen: list[tuple[float, str, int | None]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "_Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def answering_since(self, moment: float) -> set[str]:
        """Replicas that have answered since."""
        return {replica for at, replica, _ in list(self._seen) if at >= moment}

    def is_settled(self, version: int, since: float) -> bool:
        """Whether only this version has answered for a while."""
        now = time.perf_counter()
        recent = [seen for at, _, seen in list(self._seen) if at >= max(since, now - SETTLED_SECONDS)]
        return now - since > SETTLED_SECONDS and len(recent) > 5 and set(recent) == {version}

    def last_other(self, version: int, since: float) -> float:
        """When another version answered last."""
        return max((at for at, _, seen in list(self._seen) if at >= since and seen != version), default=since)

    def _ask(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            try:
                with urllib.request.urlopen(f"{self._server.url}/health", timeout=10) as response:
                    health = orjson.loads(response.read())
            except urllib.error.HTTPError as error:
                self.statuses[str(error.code)] += 1
            except OSError as error:
                self.statuses[type(error).__name__] += 1
            else:
                self.statuses["200"] += 1
                self._seen.append((time.perf_counter(), health["replica"], health["model_version"]))


def wait_for_replicas(server: Server, count: int) -> set[str]:
    """Wait until so many replicas answer; who they are."""
    deadline = time.perf_counter() + 60
    seen: Counter[str] = Counter()
    while len(seen) < count and time.perf_counter() < deadline:
        seen[server.get("/health")["replica"]] += 1
        time.sleep(POLL_SECONDS)
    return set(seen)


def capacity(server: Server, workload: Workload) -> LoadFigures:
    """The best of some closed loops, after a moment's warming up."""
    offer(server.port, workload.single, seconds=2, connections=16)
    loads = [offer(server.port, workload.single, seconds=6, connections=count) for count in (16, 32, 48)]
    return max(loads, key=lambda load: load.throughput)


def true_forecasts(workload: Workload, version: int) -> list[list[float]]:
    """The probabilities of all fixtures by a version, from its bundle."""
    from serve.fixture_list import FixtureList
    from serve.schemas import FixtureRequest
    from serve.served_model import FixtureQuery, MatchForecast, ServedModel

    scratch = workload.home / "scratch"
    model = ServedModel.load(workload.registry, version, scratch, provider="cpu", threads=1)
    queries = [FixtureQuery("", "predict", FixtureRequest.model_validate(item)) for item in workload.fixtures]
    answers = model.forecast(queries, FixtureList.empty(), datetime.now(UTC).date())
    problems = [answer for answer in answers if not isinstance(answer, MatchForecast)]
    if problems:
        raise SystemExit(f"{len(problems)} fixtures cannot be forecast: {problems[0]}")
    return [answer.probabilities for answer in answers if isinstance(answer, MatchForecast)]


def deploy(server: Server, replicas: int, version: int) -> None:
    """Pin a version in `user_config`, as `serve deploy` does."""
    from ray.dashboard.modules.serve.sdk import ServeSubmissionClient

    from serve.launch import CONFIG, serve_config

    config = serve_config(CONFIG, port=server.port, replicas=replicas)
    for deployment in _deployments(config):
        deployment["user_config"]["version"] = version
    ServeSubmissionClient(server.dashboard, headers=RAY_HEADERS).deploy_applications(config)


def running_replicas(server: Server) -> int:
    """How many replicas Serve says are running."""
    request = urllib.request.Request(f"{server.dashboard}/api/serve/applications/", headers=RAY_HEADERS)
    with urllib.request.urlopen(request, timeout=10) as response:
        details = orjson.loads(response.read())
    replicas = details["applications"][APPLICATION]["deployments"][DEPLOYMENT]["replicas"]
    return sum(replica["state"] == "RUNNING" for replica in replicas)


def logged_ids(workload: Workload) -> Iterator[str]:
    """Every identifier in the prediction log: open segments in the spool, finished ones in the bucket."""
    from football_assets.storage.opening import open_bucket
    from serve.prediction_log import SEGMENTS, read_segment
    from serve.service import SPOOL

    bucket = open_bucket(str(workload.home / "bucket"))
    segments = {Path(item.name).name: bucket.read(item.name) for item in bucket.list(SEGMENTS)}
    spooled = (workload.home / "scratch" / SPOOL).glob("*.jsonl")
    # One that was uploaded but not removed from the spool is the same segment.
    segments |= {file.name: file.read_bytes() for file in spooled if file.name not in segments}
    for name, data in segments.items():
        for record in read_segment(data, name):
            yield record["request_id"]


def _quick_config(most: int) -> dict[str, Any]:
    """Serve's configuration with a bound of its own and short delays; replicas share the cores."""
    from serve.launch import CONFIG

    config: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    for deployment in _deployments(config):
        deployment["autoscaling_config"] |= {"max_replicas": most, "downscale_delay_s": 10}
        deployment["ray_actor_options"]["num_cpus"] = min(1, (os.cpu_count() or 1) / most)
    return config


def _deployments(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for application in config["applications"]:
        yield from application["deployments"]


def _serve(config: Path, port: int) -> None:
    """`football serve` with a configuration of its own, in a process of its own."""
    from football_assets.runtime.home import prepare_home
    from serve.launch import serve_forecasts

    serve_forecasts(prepare_home(), host=HOST, port=port, say=say, config=config)


def _largest_replica(server: Server) -> int:
    return max(map(resident_bytes, server.replicas()), default=0)


def _changes(timeline: list[tuple[float, int]], ended: float) -> Iterator[tuple[float, int]]:
    """The moments at which the count changed, the end of the load, and the last one."""
    before = None
    for seconds, count in timeline:
        if count != before or seconds in (ended, timeline[-1][0]):
            yield seconds, count
        before = count


def _added(*counts: dict[str, int]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(total)


if __name__ == "__main__":
    sys.exit(main())
