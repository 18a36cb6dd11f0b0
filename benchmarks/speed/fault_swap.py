"""The fault `swap` of `faults.py`: the served version changes under load."""

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path

import orjson

from benchmarks.speed.health_watch import POLL_SECONDS, HealthWatch, wait_for_replicas
from benchmarks.speed.load_process import LoadFigures, start_load
from benchmarks.speed.outcome import Outcome
from benchmarks.speed.servers import RAY_HEADERS, Server, deployments_of, forecast_server, say
from benchmarks.speed.workload import Workload, second_version

SWAPS = 20
SWAP_SECONDS = 30


def swap(workload: Workload, arguments: argparse.Namespace) -> Outcome:
    """Change the version under load: half of the times by the alias, half by `user_config`."""
    outcome = Outcome("swap")
    registry = workload.registry
    first = registry.resolve("production")
    second = second_version(registry, workload.home / "scratch")
    truth = write_truth(workload, (first, second))
    say(f"swap: {arguments.swaps} changes of the version under load …")
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
            HealthWatch(server) as watch,
        ):
            time.sleep(2)
            seconds = _swap_versions(server, workload, (second, first), arguments, watch, outcome)
            time.sleep(1)
            load.interrupt()
            figures = load.figures()
    _record(outcome, figures, seconds)
    outcome.promise(figures.failed == 0, "no request fails")
    outcome.promise(
        figures.wrong_forecasts == figures.without_version == 0,
        "every answer is made by the version it names",
    )
    outcome.promise(len(figures.versions) == 2, "both versions answered")
    return outcome


def _swap_versions(
    server: Server,
    workload: Workload,
    versions: tuple[int, int],
    arguments: argparse.Namespace,
    watch: HealthWatch,
    outcome: Outcome,
) -> list[float]:
    """Change to the versions in turn; return the seconds from each change to the last answer by another version."""
    seconds: list[float] = []
    for number in range(arguments.swaps):
        version = versions[number % 2]
        started = time.perf_counter()
        if number < arguments.swaps // 2:
            workload.registry.promote(version)
        else:
            deploy(server, arguments.replicas, version)
        while not watch.is_settled(version, started):
            if time.perf_counter() - started > SWAP_SECONDS:
                outcome.promise(False, f"swap {number + 1} to version {version} takes place")
                break
            time.sleep(POLL_SECONDS)
        seconds.append(watch.last_other(version, started) - started)
    return seconds


def _record(outcome: Outcome, figures: LoadFigures, seconds: list[float]) -> None:
    """Record and print the figures of the load, and the seconds of the swaps: the first half is by alias."""
    half = len(seconds) // 2
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


def write_truth(workload: Workload, versions: tuple[int, int]) -> Path:
    """Write what each version forecasts for all fixtures, with which the load compares the answers.

    Raises
    ------
    SystemExit
        The versions forecast the same somewhere.
    """
    truth = workload.home / "truth.json"
    forecasts = {version: true_forecasts(workload, version) for version in versions}
    truth.write_bytes(orjson.dumps({str(version): rows for version, rows in forecasts.items()}))
    apart = min(
        max(abs(p - q) for p, q in zip(one, other, strict=True))
        for one, other in zip(*forecasts.values(), strict=True)
    )
    if apart < 1e-3:
        raise SystemExit("The two versions forecast the same somewhere: swaps would not show.")
    return truth


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
    for deployment in deployments_of(config):
        deployment["user_config"]["version"] = version
    ServeSubmissionClient(server.dashboard, headers=RAY_HEADERS).deploy_applications(config)
