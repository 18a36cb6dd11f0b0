"""How `football serve` prepares Ray: configuration, listening addresses, and addresses that it rejects."""

import os
import socket
import threading
import time
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import ray
import yaml
from ray.serve.schema import ServeDeploySchema

from football_assets.errors import FootballError
from football_assets.runtime.listening import free_ports
from football_assets.settings import Settings
from football_assets_tests.builders.json_server import run_json_server
from serve import haproxy
from serve.launch import (
    CONFIG,
    REPLICA_PORTS,
    check_key,
    deploy,
    endpoint_url,
    listen_addresses,
    model_error,
    overlaps,
    ray_environment,
    serve_config,
    serve_forecasts,
    wait_until_ready,
)


def test_the_port_of_a_person_replaces_that_of_the_file_and_serve_itself_stays_on_loopback() -> None:
    config = serve_config(CONFIG, port=9123)
    assert config["http_options"]["host"] == "127.0.0.1"
    assert config["http_options"]["port"] == 9123
    written = yaml.safe_load(CONFIG.read_text())
    assert config["applications"] == written["applications"]
    assert config["http_options"].keys() == written["http_options"].keys()


def test_a_fixed_number_of_replicas_replaces_autoscaling() -> None:
    config = serve_config(CONFIG, port=8000, replicas=3)
    (deployment,) = config["applications"][0]["deployments"]
    assert deployment["num_replicas"] == 3
    assert "autoscaling_config" not in deployment
    parsed = ServeDeploySchema.model_validate(config)
    assert parsed.applications[0].deployments[0].num_replicas == 3


def test_ray_keeps_its_files_in_the_folder_of_this_start(tmp_path: Path) -> None:
    environment = ray_environment(tmp_path, ["127.0.0.1:8000"])
    for name, value in environment.items():
        if "SOCKET" in name or name.endswith(("_LOC", "_FILE")):
            assert Path(value).is_relative_to(tmp_path), name
    assert os.access(environment["RAY_SERVE_HAPROXY_BINARY_PATH"], os.X_OK)
    assert os.access(environment["FOOTBALL_HAPROXY"], os.X_OK)


def test_two_servers_on_a_machine_do_not_answer_each_others_requests(tmp_path: Path) -> None:
    """HAProxy asks Serve's own proxy while no replica is up; by default on one port for every cluster."""
    environment = ray_environment(tmp_path, ["127.0.0.1:8000"])
    ports = [
        int(environment[f"RAY_SERVE_{name}_PORT"])
        for name in ("HAPROXY_STATS", "HAPROXY_METRICS", "FALLBACK_PROXY_HTTP", "FALLBACK_PROXY_GRPC")
    ]
    assert not {8404, 9101, 8500, 9500} & set(ports)
    assert set(ports) <= {*range(20_000, 32_768)}, (
        "a connection may get a higher one before Serve listens on it"
    )
    replicas = [int(environment[f"RAY_SERVE_DIRECT_INGRESS_{end}_HTTP_PORT"]) for end in ("MIN", "MAX")]
    assert [ports[0], ports[-1] + 1] == [min(ports), replicas[0]]
    assert replicas[1] - replicas[0] == REPLICA_PORTS - 1


def test_a_cluster_takes_no_port_of_its_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = REPLICA_PORTS + 4
    ports = free_ports(range(20_000, 32_768), 2 * size, 2 * size)
    monkeypatch.setattr("serve.launch.PORTS", ports)
    for address in (f"127.0.0.1:{ports[10]}", f"ipv6@[::]:{ports[10]} v4v6"):
        for _ in range(5):
            environment = ray_environment(tmp_path, [address])
            assert environment["RAY_SERVE_HAPROXY_STATS_PORT"] == str(ports[size])


@pytest.mark.parametrize(
    ("host", "bound", "url"),
    [
        ("127.0.0.1", ["127.0.0.1:{port}"], "http://127.0.0.1:{port}"),
        ("localhost", ["127.0.0.1:{port}"], "http://localhost:{port}"),
        ("0.0.0.0", ["0.0.0.0:{port}"], "http://127.0.0.1:{port}"),
        ("127.0.0.2", ["127.0.0.2:{port}", "127.0.0.1:{port}"], "http://127.0.0.2:{port}"),
        ("::", ["ipv6@[::]:{port} v4v6"], "http://127.0.0.1:{port}"),
        ("::1", ["ipv6@[::1]:{port}", "127.0.0.1:{port}"], "http://[::1]:{port}"),
    ],
)
def test_each_host_is_bound_and_named_in_a_way_that_can_be_opened(
    host: str, bound: list[str], url: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert listen_addresses(host, port) == [address.format(port=port) for address in bound]
    assert endpoint_url(host, port) == url.format(port=port)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_that_is_taken_is_refused_before_anything_starts(tmp_path: Path, host: str) -> None:
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(FootballError, match=f"{port} cannot be listened on"):
            serve_forecasts(Settings(home=tmp_path), host="127.0.0.1", port=port, say=said.append)
    assert said == []


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("198.51.100.1", "198.51.100.1:8000 cannot be listened on"),
        ("no.such.invalid", "Host no.such.invalid is not known"),
    ],
)
def test_a_host_that_is_not_of_this_machine_is_refused(tmp_path: Path, host: str, reason: str) -> None:
    with pytest.raises(FootballError, match=reason):
        serve_forecasts(
            Settings(home=tmp_path, serve_without_key=True), host=host, port=8000, say=lambda line: None
        )


OPEN_HOSTS = ["0.0.0.0", "::", "198.51.100.1", "fe80::1", "::ffff:198.51.100.1"]


@pytest.mark.parametrize("host", OPEN_HOSTS)
def test_a_host_that_other_machines_reach_needs_a_key(tmp_path: Path, host: str) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(
        FootballError, match=f"On host {host} the endpoint would answer other machines without"
    ):
        check_key(settings, host)
    with pytest.raises(FootballError, match="set FOOTBALL_API_KEY"):
        serve_forecasts(settings, host=host, port=8000, say=lambda line: None)


@pytest.mark.parametrize("host", [*OPEN_HOSTS, "127.0.0.1", "localhost", "127.0.0.2", "::1"])
def test_a_key_or_the_setting_allows_every_host_and_loopback_needs_neither(host: str) -> None:
    check_key(Settings(api_key="a key of a test"), host)
    check_key(Settings(serve_without_key=True), host)
    if host not in OPEN_HOSTS:
        check_key(Settings(), host)


def test_a_port_that_is_taken_on_loopback_alone_is_refused_for_another_address_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FootballError, match=f"127.0.0.1:{port} cannot be listened on"):
            listen_addresses("127.0.0.2", port)


def test_a_configuration_that_haproxy_did_not_start_with_ends_the_start_with_the_reason(
    tmp_path: Path,
) -> None:
    reason = "HAProxy's configuration haproxy.cfg cannot be edited: `listen stats` has 0 lines"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    Path(ray_environment(tmp_path, [])[haproxy.PROBLEM_FILE]).write_text(reason)

    with pytest.raises(FootballError, match=reason):
        wait_until_ready(f"http://127.0.0.1:{port}", tmp_path, threading.Event())


@pytest.mark.parametrize(
    ("serve_host", "other", "overlap"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.2", "127.0.0.1", True),  # the endpoint also listens on 127.0.0.1
        ("127.0.0.2", "127.0.0.3", False),
        ("0.0.0.0", "127.0.0.3", True),
        ("127.0.0.1", "0.0.0.0", True),
    ],
)
def test_two_servers_share_a_port_on_different_addresses(serve_host: str, other: str, overlap: bool) -> None:
    assert overlaps(serve_host, other) is overlap


class Dashboard:
    """Answers Ray's client as the dashboard does: PUT requests with the given answers, one after the other."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers = list(answers)
        self.received: list[Any] = []

    def __call__(self, method: str, path: str, headers: Message, body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"version": "1", "ray_version": ray.__version__, "ray_commit": "", "session_name": ""}
        self.received.append(body)
        return self.answers.pop(0)


LATE = b"Traceback (most recent call last):\n  File x\nTimeoutError: HTTP proxies not available after 60s.\n"
REJECTED = b"Traceback (most recent call last):\n  File x\nValueError: Two applications have one name.\n"


def deploy_to(url: str, folder: Path, *, seconds: float, ended: threading.Event | None = None) -> None:
    address, deadline = url.removeprefix("http://"), time.monotonic() + seconds
    deploy(address, {"applications": []}, folder, ended or threading.Event(), deadline=deadline)


def test_a_start_whose_proxies_are_late_is_repeated(tmp_path: Path) -> None:
    dashboard = Dashboard((500, LATE), (500, LATE), (200, b""))
    with run_json_server(dashboard) as url:
        deploy_to(url, tmp_path, seconds=60)
    assert dashboard.received == [{"applications": []}] * 3


def test_a_start_whose_proxies_are_late_ends_at_the_deadline(tmp_path: Path) -> None:
    with (
        run_json_server(Dashboard((500, LATE))) as url,
        pytest.raises(
            FootballError, match=r"configuration: TimeoutError: HTTP proxies not available after 60s\.$"
        ),
    ):
        deploy_to(url, tmp_path, seconds=-1)


def test_a_start_whose_proxies_are_late_is_not_repeated_after_an_interrupt(tmp_path: Path) -> None:
    ended = threading.Event()

    class Interrupted(Dashboard):
        def __call__(self, *request: Any) -> tuple[int, Any]:
            if request[0] != "GET":
                ended.set()
            return super().__call__(*request)

    dashboard = Interrupted((500, LATE), (200, b""))
    with run_json_server(dashboard) as url:
        deploy_to(url, tmp_path, seconds=60, ended=ended)
    assert len(dashboard.received) == 1


def test_a_rejected_configuration_is_one_line_without_the_traceback(tmp_path: Path) -> None:
    with run_json_server(Dashboard((500, REJECTED))) as url, pytest.raises(FootballError) as error:
        deploy_to(url, tmp_path, seconds=60)
    assert str(error.value) == (
        "Ray Serve rejected the configuration: ValueError: Two applications have one name."
    )


def test_a_server_without_a_model_gives_the_reason() -> None:
    with run_json_server(lambda *_: (200, {"model_error": "Version 3 is not signed."})) as url:
        assert model_error(url) == "Version 3 is not signed."
    assert model_error(url) == "the replica does not answer."
