"""`make bench-serve`: what serving costs, each figure beside its limit and a plain server that does the same work.

The plain one is `reference_server.py`; both get the same model and the same requests, in turn, never at the same time.
The load comes from `load.py`, a process of its own that shares the machine. The limits hold for 2 cores.

Works on a copy of a home that `football demo` made, so that versions can be promoted and predictions logged.
"""

import argparse
import json
import os
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from statistics import linear_regression, mean
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orjson

from benchmarks import ROOT
from benchmarks.speed.bench import process_tree, resident_bytes
from benchmarks.speed.load_process import HOST, LoadFigures, offer, start_load
from serve.launch import status_of

if TYPE_CHECKING:
    from football_assets.registry.store import Registry

FIXTURES = 2_000
BATCH = 1_000
BATCH_CONNECTIONS = (2, 4, 8, 16)
CONNECTIONS = (4, 8, 16, 32, 64)
STEADY_RATE = 100  # requests a second of the open loop
STEADY_CONNECTIONS = 64
MEMORY_CONNECTIONS = 16
SAMPLE_SECONDS = 5
MOST_GROWTH = 1.05  # of a replica's memory from the first third of the load to the last
MOVES = 3  # of the alias, there and back each
WARM_UP_SECONDS = 3
START_SECONDS = 180
STOP_SECONDS = 60
POLL_SECONDS = 0.02
MIB = 1 << 20
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_RAY_TOKEN = secrets.token_hex(32)  # of the clusters that are started here
RAY_HEADERS = {"Authorization": f"Bearer {_RAY_TOKEN}"}
_REPLICA = b"ray::ServeReplica:"
_SHIFTED = "calibration_shift"
_SHIFT = (0.4, 0.0, -0.4)


@dataclass(frozen=True)
class Figure:
    """One measurement. `reference` is the plain server's, or the plain way's, in the same unit."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None
    reference: float | None = None
    reference_name: str = "reference server"

    @property
    def ratio(self) -> float | None:
        """Measured to reference."""
        return self.value / self.reference if self.reference else None

    @property
    def is_within_limit(self) -> bool:
        """Whether the limits hold; true without one."""
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )

    @property
    def limit(self) -> str:
        """The limit, for a person."""
        signs = (("≤", self.most), ("≥", self.least))
        return " ".join(f"{sign} {bound:,.4g} {self.unit}" for sign, bound in signs if bound is not None)


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    seconds_to_ready: float

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def dashboard(self) -> str:
        """Address of Ray's dashboard, whose REST API takes Serve's configuration."""
        found = re.search(r"dashboard is on (http://\S+?)\.?$", self.log.read_text(), re.MULTILINE)
        if found is None:
            raise SystemExit(f"The server did not say where Ray's dashboard is: see {self.log}.")
        return found[1]

    def replicas(self) -> list[int]:
        """Process identifiers of the replicas."""
        return [pid for pid in process_tree(self.process.pid) if _command_line(pid).startswith(_REPLICA)]

    def replica_bytes(self) -> int:
        """Resident memory of all replicas."""
        return sum(map(resident_bytes, self.replicas()))

    def get(self, path: str) -> Any:
        """A JSON document of the server."""
        with urllib.request.urlopen(self.url + path, timeout=10) as response:
            return orjson.loads(response.read())


@dataclass(frozen=True)
class Workload:
    """A home of the benchmark's own, and the requests to send: files of JSON bodies, one a line."""

    home: Path
    fixtures: list[dict[str, str]]
    single: Path
    batch: Path

    @property
    def registry(self) -> "Registry":
        """The registry of the home."""
        from football_assets.registry.store import Registry
        from football_assets.storage.opening import open_bucket

        return Registry(open_bucket(str(self.home / "bucket")))


@contextmanager
def prepared(home: Path | None) -> Iterator[Workload]:
    """A copy of a home with a production model, and requests for real fixtures of it.

    Parameters
    ----------
    home
        None: the repository's `football_home` if it has a production model, else one that `football demo` makes now.
    """
    with TemporaryDirectory(prefix="football-bench-") as folder:
        source = home or ROOT / "football_home"
        if home is None and not (source / "bucket" / "registry" / "aliases.json").is_file():
            source = Path(folder) / "demo"
            say("Making a model with `football demo` …")
            command = [sys.executable, "-m", "football_assets.cli", "--home", str(source), "demo"]
            subprocess.run(command, cwd=ROOT, env=_environment(), check=True, capture_output=True)
        own = Path(folder) / "home"
        without_log = shutil.ignore_patterns("prediction_log")
        shutil.copytree(source / "bucket", own / "bucket", ignore=without_log)
        workload = Workload(own, [], own / "single.jsonl", own / "batch.jsonl")
        workload.fixtures.extend(real_fixtures(workload.registry, own / "scratch", FIXTURES))
        _write_lines(workload.single, workload.fixtures)
        bodies = cycle(workload.fixtures)
        _write_lines(workload.batch, [{"fixtures": list(islice(bodies, BATCH))} for _ in range(4)])
        yield workload


def real_fixtures(registry: "Registry", scratch: Path, count: int) -> list[dict[str, str]]:
    """Fixtures between teams of all leagues that the production model knows, in the fortnight after its results."""
    from football_assets.sequences.state import TeamState

    state = TeamState.load(registry.fetch("production", scratch))
    chance = random.Random(0)
    pairs = []
    for league in state.leagues():
        teams = state.teams(league=league.league_id, limit=None)
        names = [team.team for team in teams if team.season == league.season]
        pairs += [(league.league_id, home, away) for home in names for away in names if home != away]
    chance.shuffle(pairs)
    return [
        {
            "league": league,
            "home_team": home,
            "away_team": away,
            "date": str(state.as_of + timedelta(days=chance.randint(1, 14))),
        }
        for league, home, away in islice(cycle(pairs), count)
    ]


def second_version(registry: "Registry", scratch: Path) -> int:
    """Publish the production model with its outcome logits shifted: a version whose forecasts differ everywhere."""
    import onnx
    from onnx import numpy_helper

    from football_assets.storage.model_files import MODEL

    folder = scratch / "shifted"
    shutil.copytree(registry.fetch("production", scratch), folder)
    model = onnx.load(folder / MODEL)
    weight = next(item for item in model.graph.initializer if item.name == _SHIFTED)
    values = numpy_helper.to_array(weight)
    weight.CopyFrom(numpy_helper.from_array((values + _SHIFT).astype(values.dtype), _SHIFTED))
    (folder / MODEL).unlink()
    onnx.save(model, folder / MODEL)
    return registry.publish(folder, registry.manifest("production").metadata)


@contextmanager
def forecast_server(
    home: Path, *, replicas: int | None = None, command: Sequence[str] | None = None
) -> Iterator[Server]:
    """`football serve` on a free port; stopped as by Ctrl-C.

    Parameters
    ----------
    command
        Started instead; gets `--port`.
    """
    started = [sys.executable, "-m", "football_assets.cli", "--home", str(home), "serve"]
    started = list(command) if command is not None else started
    if replicas is not None:
        started += ["--replicas", str(replicas)]
    with _running(started, home, "/ready") as server:
        yield server


@contextmanager
def reference_server(home: Path) -> Iterator[Server]:
    """The plain server on a free port."""
    module = [sys.executable, "-m", "benchmarks.speed.reference_server"]
    with _running([*module, str(home / "bucket"), str(home / "plain")], home, "/docs") as server:
        yield server


@contextmanager
def _running(command: list[str], home: Path, ready: str) -> Iterator[Server]:
    with socket.create_server((HOST, 0)) as probe:
        port = int(probe.getsockname()[1])
    log = home / f"server-{port}.log"
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=ROOT,
            env=_environment()
            | {"FOOTBALL_HOME": str(home), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _RAY_TOKEN},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while status_of(f"http://{HOST}:{port}{ready}") != 200:
            if process.poll() is not None or time.perf_counter() - started > START_SECONDS:
                raise SystemExit(f"The server did not start: {log.read_text()[-2000:]}")
            time.sleep(POLL_SECONDS)
        yield Server(process, port, log, time.perf_counter() - started)
    finally:
        descendants = list(process_tree(process.pid))
        process.send_signal(signal.SIGINT)  # no effect where it has ended
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"The server did not stop within {STOP_SECONDS} s: it is killed.")
            for pid in descendants:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


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
    report(figures, title)
    if arguments.json:
        records = [asdict(figure) | {"ratio": figure.ratio} for figure in figures]
        arguments.json.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    return 0 if all(figure.is_within_limit for figure in figures) else 1


def measure(workload: Workload, arguments: argparse.Namespace) -> Iterator[Figure]:
    """Every figure."""
    ceiling = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed.load", "--ceiling", "--seconds", "3"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    most = orjson.loads(ceiling.stdout)["throughput"]
    yield Figure("the load generator alone, at a server that does nothing", most, "requests/s")
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
                batch = max(
                    (
                        offer(
                            server.port,
                            workload.batch,
                            seconds=arguments.seconds,
                            connections=connections,
                            path="/predict/batch",
                        )
                        for connections in BATCH_CONNECTIONS
                    ),
                    key=lambda load: load.throughput,
                )
                moves = list(alias_moves(server, workload))
                growth = list(memory_figures(server, workload, arguments.minutes))
    yield Figure("cold start of `football serve` to the first 200 of /ready", min(starts), "s", most=60)
    yield Figure(
        f"/predict at saturation, {ours.connections} connections (reference {plain.connections})",
        ours.best.throughput,
        "requests/s",
        least=plain.best.throughput,
        reference=plain.best.throughput,
    )
    if ours.wrk and plain.wrk:
        yield Figure("  the same by wrk", ours.wrk, "requests/s", reference=plain.wrk)
    for share, limit in (("p50", 10.0), ("p99", 50.0)):
        yield Figure(
            f"{share} at {STEADY_RATE} requests/s",
            ours.steady.latency["200"][share],
            "ms",
            most=limit,
            reference=plain.steady.latency["200"][share],
        )
    yield Figure("  of them not answered with 200", ours.steady.failed + ours.steady.unsent, "", most=0)
    for share in ("p50", "p99"):
        yield Figure(
            f"{share} with one connection",
            ours.alone.latency["200"][share],
            "ms",
            reference=plain.alone.latency["200"][share],
        )
    fixtures_a_second = batch.throughput * BATCH
    single = ours.best.throughput
    yield Figure(
        f"/predict/batch of {BATCH:,}",
        fixtures_a_second,
        "fixtures/s",
        least=20 * single,
        reference=single,
        reference_name="single requests",
    )
    yield Figure("  p50 of one such request", batch.latency["200"]["p50"], "ms")
    yield from log_figures(workload, ours)
    yield from moves
    yield from growth


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
            refused = f", {load.failed} refused" if load.failed else ""
            say(f"  {connections:3} connections: {load.throughput:6,.0f} requests/s{refused}")
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


def log_figures(workload: Workload, ours: Turn) -> Iterator[Figure]:
    """What the prediction log costs: processor time of a forecast in the service with and without it.

    Both are measured in this process, in turn, on batches as large as those at saturation. The share is of all
    processor time that a replica spent on a request then, HTTP included; at saturation that is its share of throughput.
    """
    size = max(1, round(ours.batch_size))
    logged, unlogged = service_costs(workload, size)
    cost = logged.cpu - unlogged.cpu
    yield Figure("fixtures in an inference at saturation", ours.batch_size, "")
    yield Figure("processor time of a replica for a request then", ours.cpu_seconds * 1e6, "µs")
    yield Figure("  of it for the prediction log", cost * 1e6, "µs")
    yield Figure("  its share", 100 * cost / ours.cpu_seconds, "%", most=5)
    waits = (logged.elapsed - unlogged.elapsed - cost) * size
    yield Figure("  wait for the disk, a batch, in which other requests are read", waits * 1000, "ms")


@dataclass
class Cost:
    """Seconds for a forecast."""

    cpu: float = 0.0
    elapsed: float = 0.0


def service_costs(workload: Workload, size: int, seconds: float = 6.0) -> tuple[Cost, Cost]:
    """Seconds for a fixture in batches of some size, with the prediction log and without."""
    import numpy as np

    from football_assets.storage.opening import open_bucket
    from serve.metrics import ServingMetrics
    from serve.schemas import FixtureRequest
    from serve.served_model import FixtureQuery
    from serve.service import ForecastService, ModelChoice

    class Unlogged(ForecastService):
        def release(self, queries: Any, outcomes: Any, seconds: float) -> Any:
            self.metrics.observe_predictions(np.array([item.probabilities for item in outcomes]), "predict")
            return outcomes

    bodies = cycle(workload.fixtures)

    def queries() -> list[FixtureQuery]:
        return [
            FixtureQuery(f"{n:032x}", "predict", FixtureRequest.model_validate(body))
            for n, body in enumerate(islice(bodies, size))
        ]

    services: list[ForecastService] = [
        kind(
            open_bucket(str(workload.home / "bucket")),
            workload.home / "scratch" / kind.__name__,
            ServingMetrics(),
        )
        for kind in (ForecastService, Unlogged)
    ]
    costs = (Cost(), Cost())
    for service in services:
        service.load(ModelChoice(provider="cpu"))
        for _ in range(50):
            service.answer(queries())
    fixtures = 0
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        asked = queries()
        fixtures += size
        for service, cost in zip(services, costs, strict=True):
            cpu, elapsed = time.process_time(), time.perf_counter()
            service.answer(asked)
            cost.cpu += time.process_time() - cpu
            cost.elapsed += time.perf_counter() - elapsed
    for service, cost in zip(services, costs, strict=True):
        service.close()
        cost.cpu /= fixtures
        cost.elapsed /= fixtures
    return costs


def alias_moves(server: Server, workload: Workload) -> Iterator[Figure]:
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
    yield Figure(f"{name}, mean of {len(seconds_to_first)}", mean(seconds_to_first), "s")
    yield Figure("  longest", max(seconds_to_first), "s")
    yield Figure("  to the last answer by the old version, longest", max(seconds_to_all), "s")


def ask(server: Server, body: dict[str, str]) -> Any:
    """The answer to one /predict."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.url}/predict", orjson.dumps(body), headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return orjson.loads(response.read())


def memory_figures(server: Server, workload: Workload, minutes: float) -> Iterator[Figure]:
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
    yield Figure(
        f"memory of a replica, last third of {minutes:g} min",
        last,
        "MiB",
        most=MOST_GROWTH * first,
        reference=first,
        reference_name="first third",
    )
    yield Figure(
        "  its slope over the last two thirds",
        linear_regression(times[third:], sizes[third:]).slope,
        "MiB/min",
    )
    yield Figure("  requests answered meanwhile", answered, "")


def say(line: str) -> None:
    """Tell a person what is going on."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def report(figures: list[Figure], title: str) -> None:
    """Print the figures."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Measured on {title}", title_justify="left")
    for column in ("figure", "measured", "limit", "beside", "measured / beside"):
        table.add_column(column, justify="left" if column in ("figure", "beside") else "right")
    for figure in figures:
        colour = "green" if figure.is_within_limit else "red"
        beside = ""
        if figure.reference is not None:
            beside = f"{figure.reference:,.4g} {figure.unit}: {figure.reference_name}"
        table.add_row(
            figure.name,
            f"[{colour}]{figure.value:,.4g} {figure.unit}[/]",
            figure.limit,
            beside,
            f"{figure.ratio:.2f}x" if figure.ratio is not None else "",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)


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


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _environment() -> dict[str, str]:
    """This process's, without what would send the servers elsewhere or make them ask for a key."""
    ours = {"FOOTBALL_BUCKET", "FOOTBALL_API_KEY", "FOOTBALL_HOME", "RAY_ADDRESS"}
    return {name: value for name, value in os.environ.items() if name not in ours}


def _write_lines(file: Path, items: Sequence[object]) -> None:
    file.write_bytes(b"".join(orjson.dumps(item) + b"\n" for item in items))


if __name__ == "__main__":
    sys.exit(main())
