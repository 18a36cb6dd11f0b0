"""`football serve` as a person starts it: Ray, HAProxy, two replicas, and what happens to them.

One start for all tests of this module, which therefore run in their order.
"""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from football_assets.deployment.serve_api import DeploymentFailed, ServeApi
from football_assets.forecasting.fixtures import forecast_match
from football_assets.registry.store import VERSIONS, Registry
from football_assets.storage.model_files import MODEL_CARD, TEAM_STATE
from football_assets_tests.builders.demo import copy_bucket, publish_reversed
from football_assets_tests.builders.model_versions import copy_version
from football_assets_tests.builders.running import NEED_A_MODEL
from football_assets_tests.end_to_end.serving import (
    COMMAND,
    MATCH,
    PATIENCE_SECONDS,
    REPLICA_TITLE,
    Server,
    run_server,
    running,
    title,
    wait_until,
)

REPLICAS = 2
SLOW_CLIENTS = 110

pytestmark = pytest.mark.ray


@dataclass
class Load:
    """What clients that ask without a pause were answered."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def versions(self) -> list[int]:
        return [answer["model_version"] for answer in self.answers]


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
    publish_reversed(copy_bucket(demo_home, folder / "home" / "bucket"), folder)
    with run_server(folder / "home", replicas=REPLICAS) as server:
        yield server


def test_an_answer_that_cannot_be_logged_is_refused_and_its_cause_is_in_the_log(server: Server) -> None:
    """Before the first answer: a replica that has opened its segment needs the folder no longer."""
    spool = server.home / "scratch" / "prediction_log"
    aside = spool.rename(spool.with_name("aside"))
    spool.write_bytes(b"a file where the folder was")
    answer = server.predict(identifier="not-logged")
    spool.unlink()
    aside.rename(spool)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    wait_until(lambda: "Request not-logged to /predict failed" in server.log(), "the failure is logged")
    (line,) = [line for line in server.log().splitlines() if "not-logged" in line]
    assert line.startswith("ERROR")
    traceback = server.log().partition("Request not-logged to /predict failed\n")[2]
    assert traceback.startswith("Traceback (most recent call last):\n")
    assert f"\nFileExistsError: [Errno 17] File exists: '{spool}'\n" in traceback
    assert server.predict().status_code == 200


def test_a_match_is_forecast_by_the_names_of_its_teams(server: Server, tmp_path: Path) -> None:
    answer = server.predict().raise_for_status().json()

    expected = forecast_match(
        Registry(server.bucket), tmp_path, "eng.1", "Arsenal", "Chelsea", date(2016, 6, 1)
    )
    assert answer["model_version"] == 1
    for side, probability in answer["probabilities"].items():
        assert probability == pytest.approx(expected[f"p_{side}"][0], abs=1e-5)
    assert "<title>" in httpx.get(server.url).text


def test_a_server_without_a_key_asks_for_none(server: Server) -> None:
    for method, path, body in NEED_A_MODEL:
        assert httpx.request(method, f"{server.url}{path}", json=body, timeout=60).status_code == 200, path


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
    switch = "Serving model version 2 (before: 1)"
    wait_until(lambda: server.log().count(switch) == REPLICAS, "both replicas log the switch")


def test_slow_clients_get_408_while_all_others_are_answered(server: Server) -> None:
    head = (
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    )
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            for _ in range(SLOW_CLIENTS)
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


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8265", "Origin": "http://evil.example:8265", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_host_reaches_nothing_of_rays_interface(
    server: Server, headers: dict[str, str]
) -> None:
    """DNS rebinding: Ray answers any Host, so the requests are rejected for want of its token.

    The cookie in which a browser may have the token belongs to the host of the dashboard, not to another one. Without a
    token only the files of the dashboard and the mode of authentication can be read.
    """
    address = server.serve_address
    job = {"entrypoint": f"touch {server.home}/owned"}
    assert address.url is not None
    assert address.token
    with httpx.Client(base_url=address.url, timeout=60, headers=headers) as client:
        refused = [
            client.post("/api/jobs/", json=job),
            client.put("/api/serve/applications/", json={"applications": []}),
            client.delete("/api/serve/applications/"),
            *(
                client.get(path)
                for path in ("/api/jobs/", "/api/serve/applications/", "/api/version", "/nodes?view=summary")
            ),
        ]
        open_paths = [client.get(path) for path in ("/", "/api/authentication_mode")]
        token = {"Authorization": f"Bearer {address.token}"}
        browser = headers | {"User-Agent": "Mozilla/5.0"} | token
        with_token = client.post("/api/jobs/", json=job, headers=browser)

    assert [answer.status_code for answer in refused] == [401] * 7
    assert address.token is not None
    assert address.token not in "".join(answer.text for answer in open_paths)
    if "Origin" in headers:  # Ray takes no POST from a browser, even with the token
        assert with_token.status_code == 405
    assert not (server.home / "owned").exists()
    assert server.predict().status_code == 200


def test_a_rollback_is_followed_also_after_the_graph_has_verified_serve(server: Server) -> None:
    for command, version in ((["rollback"], 1), (["promote", "2"], 2), (["rollback"], 1)):
        subprocess.run(
            [COMMAND, "models", *command, "--home", str(server.home)], check=True, capture_output=True
        )
        wait_until(partial(server.is_answered_by, version), "the alias is followed")
        if version == 2:
            materialize(server, "serving_deployment")

    assert ServeApi(server.serve_address).state().wanted == {"production"}


def materialize(server: Server, asset: str) -> None:
    command = [COMMAND, "materialize", "--select", asset, "--home", str(server.home)]
    subprocess.run(command, check=True, capture_output=True)


def test_a_corrupt_version_leaves_the_old_one_answering_and_a_repaired_one_is_loaded(
    server: Server, tmp_path: Path
) -> None:
    registry, api = Registry(server.bucket), ServeApi(server.serve_address)
    bundle = copy_version(registry.open(2), tmp_path / "third")
    (bundle / MODEL_CARD).write_text("# The third\n")
    third = registry.publish(bundle, {})
    state = f"{VERSIONS}{third}/{TEAM_STATE}"
    whole = server.bucket.read(state)
    server.bucket.write(state, b"rotten")

    with load(server.url) as asked:
        registry.promote(third)
        with pytest.raises(DeploymentFailed, match="team_state.parquet is corrupt"):
            api.verify(registry.resolve)
        assert server.answering() == {1}
        answered = len(asked.answers)
        server.bucket.write(state, whole)
        verified = api.verify(registry.resolve)
        changed = len(asked.answers)
        wait_until(lambda: len(asked.answers) > changed + 50, "requests are answered")

    assert (verified.versions, verified.replicas) == ({"football": third}, REPLICAS)
    assert api.state().wanted == {"production"}
    assert asked.failures == []
    assert set(asked.versions()[:answered]) == {1}
    assert set(asked.versions()) == {1, third}
    assert set(asked.versions()[changed + REPLICAS + 1 :]) == {third}


def test_a_version_that_a_person_pins_stays_until_serve_is_told_to_follow_the_alias(server: Server) -> None:
    registry, api = Registry(server.bucket), ServeApi(server.serve_address)

    pinned = api.pin(2, registry.resolve)
    registry.promote(1)
    materialize(server, "serving_deployment")

    assert (pinned.versions, api.state().wanted, server.answering()) == ({"football": 2}, {2}, {2})
    registry.promote(2)
    released = api.pin("production", registry.resolve)
    assert (released.versions, api.state().wanted) == ({"football": 2}, {"production"})


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
