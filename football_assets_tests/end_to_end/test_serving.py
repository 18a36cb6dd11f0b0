"""`football serve` as a person starts it: Ray, HAProxy, two replicas, and what happens to them.

One start for all tests of this module, which therefore run in their order.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from football_assets.bucket import Bucket, open_bucket
from football_assets.deployment.serve_api import DeploymentFailed, ServeApi
from football_assets.forecasting.fixtures import forecast_match
from football_assets.model_files import MODEL_CARD, TEAM_STATE
from football_assets.registry.store import VERSIONS, Registry
from football_assets.serve_address import ServeAddress, find_serve
from football_assets.settings import Settings
from football_assets_tests.demo import copy_bucket, publish_reversed
from serve.prediction_log import SEGMENTS, read_segment

COMMAND = str(Path(sys.executable).with_name("football"))
MATCH = {"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea", "date": "2016-06-01"}
PATIENCE_SECONDS = 300.0  # nothing here is a measurement
REPLICAS = 2
SLOW_CLIENTS = 110
REPLICA_TITLE = "ray::ServeReplica"


@dataclass
class Server:
    """A running `football serve`, and all processes that it has been seen to start."""

    process: subprocess.Popen[bytes]
    home: Path
    url: str
    output: Path
    seen: set[tuple[int, str]] = field(default_factory=set)

    @property
    def bucket(self) -> Bucket:
        return open_bucket(str(self.home / "bucket"))

    def descendants(self) -> dict[int, str]:
        """Title of every process under this one."""
        children: dict[int, list[int]] = {}
        for process, (parent, _, _) in running().items():
            children.setdefault(parent, []).append(process)
        found: dict[int, str] = {}
        waiting = [self.process.pid]
        while waiting:
            for child in children.get(waiting.pop(), []):
                found[child] = title(child)
                waiting.append(child)
        now = running()
        self.seen |= {(process, now[process][1]) for process in found if process in now}
        return found

    def replicas(self) -> set[int]:
        return {process for process, name in self.descendants().items() if name.startswith(REPLICA_TITLE)}

    @property
    def serve_address(self) -> ServeAddress:
        return find_serve(Settings(home=self.home))

    def answering(self) -> set[int | None]:
        """Versions that the replicas answer from."""
        versions: dict[str, int | None] = {}

        def all_seen() -> bool:
            health = httpx.get(f"{self.url}/health", timeout=60).json()
            versions[health["replica"]] = health["model_version"]
            return len(versions) == REPLICAS

        wait_until(all_seen, "all replicas answer")
        return set(versions.values())

    def predict(self) -> httpx.Response:
        return httpx.post(f"{self.url}/predict", json=MATCH, timeout=60)

    def logged(self) -> list[str]:
        """Identifiers of the requests in the prediction log; a segment may be in both places for a moment."""
        spool = [path.read_bytes() for path in self.spooled()]
        stored = [self.bucket.read(item.name) for item in self.bucket.list(f"{SEGMENTS}/")]
        return [record["request_id"] for data in (*spool, *stored) for record in read_segment(data)]

    def spooled(self) -> list[Path]:
        return sorted((self.home / "scratch" / "prediction_log").glob("*.jsonl"))


@dataclass
class Load:
    """What clients that ask without a pause were answered."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def versions(self) -> list[int]:
        return [answer["model_version"] for answer in self.answers]


def running() -> dict[int, tuple[int, str, str]]:
    """Parent, start time and state of every process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            values = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        found[int(folder.name)] = (int(values[1]), values[19], values[0])
    return found


def title(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.2)


@contextmanager
def load(url: str, clients: int = 3) -> Iterator[Load]:
    """Requests by several clients until the block ends."""
    ended = threading.Event()
    result = Load()

    def ask() -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not ended.is_set():
                try:
                    answer = client.post("/predict", json=MATCH)
                except httpx.HTTPError as error:
                    result.failures.append(repr(error))
                    time.sleep(0.05)
                    continue
                if answer.status_code == 200:
                    result.answers.append(answer.json())
                else:
                    result.failures.append(f"{answer.status_code} {answer.text[:200]}")
                    time.sleep(0.05)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield result
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def totals(url: str) -> dict[str, float]:
    """Totals of the metrics that reading them does not change."""
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=60).text):
        for sample in family.samples:
            ours = family.name.startswith(
                ("football_prediction", "football_model_info", "football_processes")
            )
            if ours or sample.labels.get("route") == "/predict":
                sums[sample.name] = sums.get(sample.name, 0) + sample.value
    return sums


def listening(process: int) -> set[str]:
    """Addresses, as the kernel writes them, on which a process takes TCP connections."""
    try:
        links = {str(link.readlink()) for link in Path(f"/proc/{process}/fd").iterdir()}
    except OSError:
        return set()
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            values = line.split()
            if values[3] == "0A" and f"socket:[{values[9]}]" in links:
                found.add(values[1])
    return found


def is_loopback(address: str) -> bool:
    host = address.partition(":")[0]
    if len(host) == 8:
        return host.endswith("7F")
    return host == "00000000000000000000000001000000" or host.endswith("FFFF00000100007F")


@pytest.fixture(scope="module")
def server(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serving")
    home = folder / "home"
    home.mkdir()
    publish_reversed(copy_bucket(demo_home, home / "bucket"), folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOOTBALL_")}
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [COMMAND, "serve", "--home", str(home), "--port", str(port), "--replicas", str(REPLICAS)],
            stdout=file,
            stderr=file,
            env=environment,
            start_new_session=True,
        )
    server = Server(process, home, f"http://127.0.0.1:{port}", output)
    try:
        wait_until(
            lambda: process.poll() is not None or b"Forecasts on" in output.read_bytes(), "the server starts"
        )
        assert process.poll() is None, output.read_text()
        wait_until(lambda: len(server.replicas()) == REPLICAS, "all replicas run")
        yield server
    finally:
        server.descendants()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        now = running()
        for number, started in server.seen:
            if number in now and now[number][1] == started:
                os.kill(number, signal.SIGKILL)


def test_a_match_is_forecast_by_the_names_of_its_teams(server: Server, tmp_path: Path) -> None:
    answer = server.predict().raise_for_status().json()

    expected = forecast_match(
        Registry(server.bucket), tmp_path, "eng.1", "Arsenal", "Chelsea", date(2016, 6, 1)
    )
    assert answer["model_version"] == 1
    for side, probability in answer["probabilities"].items():
        assert probability == pytest.approx(expected[f"p_{side}"][0], abs=1e-5)
    assert "<title>" in httpx.get(server.url).text


def test_both_replicas_answer_and_give_the_same_totals(server: Server) -> None:
    before = totals(server.url)
    seen: set[str] = set()

    def both_seen() -> bool:
        seen.add(httpx.get(f"{server.url}/health", timeout=60).json()["replica"])
        return len(seen) == REPLICAS

    wait_until(both_seen, "both replicas answer")
    for _ in range(20):
        server.predict().raise_for_status()

    shown = [totals(server.url) for _ in range(12)]

    assert shown == shown[:1] * len(shown)
    assert shown[0]["football_processes"] == REPLICAS
    assert shown[0]["football_model_info"] == REPLICAS
    for name in ("football_requests_total", "football_predictions_total"):
        assert shown[0][name] == before.get(name, 0) + 20
    assert shown[0]["football_prediction_log_bytes_total"] > before["football_prediction_log_bytes_total"]


def test_nothing_listens_beyond_this_machine_but_what_ray_guards_with_its_token(server: Server) -> None:
    open_to_others = {
        name: addresses
        for process, name in {**server.descendants(), server.process.pid: "football serve"}.items()
        if (addresses := {item for item in listening(process) if not is_loopback(item)})
    }
    # Serve's port for calls between replicas has no setting for its address.
    assert all(name.startswith(REPLICA_TITLE) for name in open_to_others), open_to_others
    assert any(listening(process) for process in server.descendants())


def test_a_promoted_version_answers_without_a_failed_or_mixed_answer(server: Server, tmp_path: Path) -> None:
    with load(server.url) as asked:
        wait_until(lambda: len(asked.answers) > 20, "the old version answers")
        subprocess.run(
            [COMMAND, "models", "promote", "2", "--home", str(server.home)], check=True, capture_output=True
        )
        wait_until(lambda: asked.versions()[-50:] == [2] * 50, "the new version answers from all replicas")

    assert asked.failures == []
    assert set(asked.versions()) == {1, 2}
    forecasts = {
        version: {
            tuple(round(value, 4) for value in answer["probabilities"].values())
            for answer in asked.answers
            if answer["model_version"] == version
        }
        for version in (1, 2)
    }
    assert not forecasts[1] & forecasts[2]
    assert [len(forecasts[version]) for version in (1, 2)] == [1, 1]


def test_slow_clients_get_408_while_all_others_are_answered(server: Server) -> None:
    port = httpx.URL(server.url).port or 0
    head = (
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    )
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(SLOW_CLIENTS)
        ]
        for client in slow:
            client.settimeout(PATIENCE_SECONDS)
            client.sendall(head + b'{"league"')  # 9 of the 500 bytes
        paths = ("/health", "/ready", "/", "/fixtures?limit=1")
        with load(server.url) as asked:
            statuses = {httpx.get(f"{server.url}{path}", timeout=60).status_code for path in paths * 5}
            received = [client.recv(1 << 16) for client in slow]

    assert statuses == {200}
    assert (len(asked.answers) > 0, asked.failures) == (True, [])
    assert {data.split(b"\r\n")[0] for data in received} == {b"HTTP/1.1 408 Request Time-out"}


def test_rays_interface_refuses_who_has_not_the_token_of_the_home(server: Server) -> None:
    address = server.serve_address
    applications = f"{address.url}/api/serve/applications/"

    statuses = [
        httpx.get(applications, headers=headers, timeout=60).status_code
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {address.token}"})
    ]

    assert statuses == [401, 403, 200]


def test_a_rollback_is_deployed_by_the_graph_to_every_replica(server: Server) -> None:
    for command in (["models", "rollback"], ["materialize", "--select", "serving_deployment"]):
        subprocess.run([COMMAND, *command, "--home", str(server.home)], check=True, capture_output=True)

    assert server.answering() == {1}
    assert ServeApi(server.serve_address).state().wanted == {1}


def test_a_corrupt_version_is_refused_and_the_old_one_goes_on(server: Server, tmp_path: Path) -> None:
    registry = Registry(server.bucket)
    bundle = Path(shutil.copytree(registry.fetch(2, tmp_path), tmp_path / "third"))
    (bundle / MODEL_CARD).write_text("# The third\n")
    third = registry.publish(bundle, {})
    server.bucket.write(f"{VERSIONS}{third}/{TEAM_STATE}", b"rotten")

    with load(server.url) as asked, pytest.raises(DeploymentFailed, match="team_state.parquet is corrupt"):
        ServeApi(server.serve_address).deploy(third)

    assert ServeApi(server.serve_address).state().wanted == {1}
    assert server.answering() == {1}
    assert (set(asked.versions()), asked.failures) == ({1}, [])


def test_a_deployed_version_answers_from_all_replicas_without_a_failed_answer(server: Server) -> None:
    Registry(server.bucket).promote(2)
    with load(server.url) as asked:
        deployed = ServeApi(server.serve_address).deploy(2)
        answered = len(asked.answers)
        wait_until(lambda: len(asked.answers) > answered + 50, "requests are answered")

    assert (deployed.replicas, deployed.before) == (REPLICAS, {"football": 1})
    assert asked.failures == []
    assert set(asked.versions()[answered + REPLICAS + 1 :]) == {2}


def test_a_killed_replica_loses_no_answer_from_the_log_and_is_replaced(server: Server) -> None:
    before = server.replicas()
    victim = min(before)
    with load(server.url) as asked:
        wait_until(lambda: len(asked.answers) > 100, "replicas answer")
        os.kill(victim, signal.SIGKILL)

        wait_until(
            lambda: len(now := server.replicas()) == REPLICAS and victim not in now,
            "a replica takes its place",
        )
        replicas: set[str] = set()

        def both_answer() -> bool:
            health = httpx.get(f"{server.url}/health", timeout=60)
            if health.status_code == 200 and health.json()["model_version"] == 2:
                replicas.add(health.json()["replica"])
            return len(replicas) >= REPLICAS

        wait_until(both_answer, "all replicas answer again")
        answered = len(asked.answers)
        wait_until(lambda: len(asked.answers) > answered + 100, "requests are answered again")

    identifiers = {answer["request_id"] for answer in asked.answers}
    assert len(identifiers) == len(asked.answers)
    assert identifiers <= set(server.logged())
    server.predict().raise_for_status()


def test_sigterm_to_the_process_group_ends_every_process_and_leaves_the_log_in_the_bucket(
    server: Server,
) -> None:
    last = server.predict().raise_for_status().json()["request_id"]
    server.descendants()

    os.killpg(server.process.pid, signal.SIGTERM)
    code = server.process.wait(PATIENCE_SECONDS)

    assert code == 0, server.output.read_text()

    def left() -> dict[int, str]:
        now = running()
        return {
            process: title(process)
            for process, started in server.seen
            if process in now and now[process][1] == started and now[process][2] != "Z"
        }

    assert left() == {}
    assert server.spooled() == []
    logged = server.logged()
    assert last in logged
    assert len(logged) == len(set(logged))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", httpx.URL(server.url).port or 0))
