"""What is read from the description of Ray Serve, what is written back, and what replicas answer of themselves."""

import json
import socket
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from football_assets.deployment.serve_state import (
    Application,
    DeploymentFailed,
    Health,
    ServeState,
    ask_replicas,
    config_with,
    read_state,
)
from football_assets.runtime.serve_discovery import ServeUnreachable
from football_assets_tests.builders.serve_server import Replica, ServeServer, application_config
from football_assets_tests.builders.source_server import SourceServer, run_source_server

URL = "http://127.0.0.1:8265"
Details = dict[str, Any]
FOOTBALL = ("applications", "football")
DEPLOYMENT = (*FOOTBALL, "deployments", "Forecaster")
CONFIGURED = (*FOOTBALL, "deployed_app_config")


@pytest.fixture
def details() -> Details:
    """What Serve's REST API says of two replicas that follow the alias; an object of its own for each test."""
    return deepcopy(ServeServer(url="http://127.0.0.1:8000").details())


def put(details: Details, value: object, *path: str | int) -> None:
    """Set a value at a path; `...` removes it."""
    *folders, last = path
    place: Any = details
    for name in folders:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value


def only(details: Details) -> Application:
    (application,) = read_state(details, URL).applications
    return application


def test_the_state_holds_what_serve_is_configured_with_and_what_it_runs(details: Details) -> None:
    put(details, "UPDATING", *DEPLOYMENT, "status")
    put(details, "STARTING", *DEPLOYMENT, "replicas", 1, "state")
    put(details, {"version": 2, "reload": "a"}, *CONFIGURED, "deployments", 0, "user_config")
    put(details, {"version": "production", "reload": "b"}, *DEPLOYMENT, "deployment_config", "user_config")
    put(details, "DEPLOYING", *FOOTBALL, "status")
    put(details, "one of two", *FOOTBALL, "message")
    put(details, 3, *DEPLOYMENT, "target_num_replicas")

    assert read_state(details, URL) == ServeState(
        session="d16b563a2c4248c16d85e6ae02000000",
        applications=(
            Application(
                name="football",
                status="DEPLOYING",
                message="one of two",
                wanted=2,
                configured=(2, "a"),
                applied=("production", "b"),
                deployment_status="UPDATING",
                replicas_wanted=3,
                answering=frozenset({"first"}),
                health=("http://127.0.0.1:8000/health",),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("state", "answers"),
    [
        ("RUNNING", True),
        ("UPDATING", True),
        ("RECOVERING", True),
        ("PENDING_MIGRATION", True),
        ("STARTING", False),
        ("STOPPING", False),
    ],
)
def test_replicas_that_start_or_stop_take_no_requests(details: Details, state: str, answers: bool) -> None:
    put(details, state, *DEPLOYMENT, "replicas", 0, "state")

    assert ("first" in only(details).answering) is answers
    assert "second" in only(details).answering


def test_an_application_that_is_not_configured_otherwise_follows_the_alias(details: Details) -> None:
    put(details, {"threads": 1}, *CONFIGURED, "deployments", 0, "user_config")
    put(details, {"threads": 1}, *DEPLOYMENT, "deployment_config", "user_config")

    application = only(details)

    assert (application.configured, application.applied) == (("production", None), ("production", None))
    assert not application.is_pinned
    put(details, "candidate", *CONFIGURED, "deployments", 0, "user_config", "version")
    assert only(details).is_pinned
    assert read_state(details, URL).wanted == {"candidate"}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((*CONFIGURED, "deployments", 0, "user_config"), ...),
        ((*CONFIGURED, "deployments", 0, "user_config"), None),
        ((*CONFIGURED, "deployments"), []),
        ((*CONFIGURED, "deployments"), None),
        (CONFIGURED, None),  # deployed by a program
    ],
)
def test_what_the_configuration_leaves_open_is_what_runs(
    details: Details, place: tuple[str | int, ...], value: object
) -> None:
    put(details, {"version": 7, "reload": "r"}, *DEPLOYMENT, "deployment_config", "user_config")
    put(details, value, *place)

    assert (only(details).wanted, only(details).configured) == (7, (7, "r"))


def test_serve_has_settled_once_a_healthy_deployment_has_the_configuration(details: Details) -> None:
    assert only(details).is_settled

    put(details, "UPDATING", *DEPLOYMENT, "status")
    assert not only(details).is_settled

    put(details, "HEALTHY", *DEPLOYMENT, "status")
    put(details, "a", *CONFIGURED, "deployments", 0, "user_config", "reload")
    assert not only(details).is_settled


def test_applications_without_a_forecaster_are_left_out(details: Details) -> None:
    second = deepcopy(details["applications"]["football"])
    second["name"] = "gpu"
    second["deployed_app_config"]["deployments"][0]["user_config"]["version"] = 3
    other = deepcopy(details["applications"]["football"])
    other["deployments"] = {"Greeter": other["deployments"]["Forecaster"]}
    details["applications"] |= {"gpu": second, "hello": other}

    state = read_state(details, URL)

    assert [item.name for item in state.applications] == ["football", "gpu"]
    assert state.wanted == {"production", 3}
    assert [item.is_pinned for item in state.applications] == [False, True]


@pytest.mark.parametrize(
    ("host", "root_path", "prefix", "urls"),
    [
        ("10.0.0.7", "", "/", ["http://10.0.0.7:8000/health"]),
        ("10.0.0.7", None, None, ["http://10.0.0.7:8000/health"]),
        ("10.0.0.7", "/behind", "/gpu/", ["http://10.0.0.7:8000/behind/gpu/health"]),
        ("fd00::7", "", "/", ["http://[fd00::7]:8000/health"]),
        ("0.0.0.0", "", "/", ["http://10.0.0.1:8000/health", "http://[fd00::2]:8000/health"]),
        ("::", "", "/gpu", ["http://10.0.0.1:8000/gpu/health", "http://[fd00::2]:8000/gpu/health"]),
        ("", "", "/", ["http://10.0.0.1:8000/health", "http://[fd00::2]:8000/health"]),
    ],
)
def test_replicas_are_asked_where_the_proxies_listen(
    details: Details, host: str, root_path: str | None, prefix: str | None, urls: list[str]
) -> None:
    details["http_options"] |= {"host": host, "root_path": root_path}
    details["proxies"] = {"a": {"node_ip": "10.0.0.1"}, "b": {"node_ip": "fd00::2"}}
    put(details, prefix, *FOOTBALL, "route_prefix")

    assert list(only(details).health) == urls


@pytest.mark.parametrize("place", [("controller_info",), ("controller_info", "actor_id")])
def test_a_serve_that_names_no_controller_has_no_session(details: Details, place: tuple[str, ...]) -> None:
    put(details, ..., *place)

    assert read_state(details, URL).session == ""


@pytest.mark.parametrize(
    ("place", "value", "error"),
    [
        (("applications",), ..., "KeyError: 'applications'"),
        (("applications",), [], "AttributeError: "),
        (("applications",), None, "AttributeError: "),
        (FOOTBALL, None, "TypeError: "),
        ((*FOOTBALL, "deployments"), None, "TypeError: "),
        ((*FOOTBALL, "name"), ..., "KeyError: 'name'"),
        (CONFIGURED, ..., "KeyError: 'deployed_app_config'"),
        ((*DEPLOYMENT, "deployment_config"), None, "AttributeError: "),
        ((*DEPLOYMENT, "replicas", 0, "state"), ..., "KeyError: 'state'"),
        ((*DEPLOYMENT, "replicas"), None, "TypeError: "),
        (("http_options",), ..., "KeyError: 'http_options'"),
        (("http_options", "port"), ..., "KeyError: 'port'"),
    ],
)
def test_a_description_that_ray_2_60_does_not_give_is_an_error_with_the_address(
    details: Details, place: tuple[str | int, ...], value: object, error: str
) -> None:
    put(details, value, *place)

    with pytest.raises(ServeUnreachable) as raised:
        read_state(details, URL)

    assert str(raised.value).startswith(f"The description of Ray Serve at {URL} cannot be parsed ({error}")
    assert str(raised.value).endswith("): use Ray 2.60.")


@pytest.mark.parametrize("content", [[], "starting", None, 5])
def test_content_that_is_no_object_is_an_error(content: Any) -> None:
    with pytest.raises(ServeUnreachable, match=r"cannot be parsed \(TypeError: "):
        read_state(content, URL)


def test_without_a_forecaster_the_error_says_what_to_deploy(details: Details) -> None:
    put(details, {}, *FOOTBALL, "deployments")

    with pytest.raises(ServeUnreachable) as raised:
        read_state(details, URL)

    assert str(raised.value) == (
        f"Ray Serve at {URL} runs no application with a deployment 'Forecaster' yet: deploy serve/config.yaml."
    )


def test_the_configuration_is_that_which_runs_with_the_changes(details: Details) -> None:
    before = deepcopy(details)

    written = config_with(details, {"football": {"version": 2, "reload": "now"}})

    application = application_config()
    application["deployments"][0]["user_config"] = {
        "version": 2,
        "provider": "auto",
        "threads": 1,
        "poll_seconds": 2,
        "reload": "now",
    }
    assert written == {
        "proxy_location": "HeadOnly",
        "http_options": {"host": "127.0.0.1", "port": 8000, "root_path": "", "request_timeout_s": 30.0},
        "grpc_options": {"port": 9000, "grpc_servicer_functions": []},
        "applications": [application],
    }
    assert details == before


def test_a_capacity_is_kept_and_without_changes_nothing_changes(details: Details) -> None:
    details["target_capacity"] = 50.0
    details["grpc_options"] = None

    written = config_with(details, {})

    assert sorted(written) == ["applications", "http_options", "proxy_location", "target_capacity"]
    assert written["target_capacity"] == 50.0
    assert written["applications"] == [application_config()]


def test_only_the_named_application_is_changed(details: Details) -> None:
    second = deepcopy(details["applications"]["football"])
    second["name"] = second["deployed_app_config"]["name"] = "gpu"
    details["applications"]["gpu"] = second

    first, changed = config_with(details, {"gpu": {"version": 5}})["applications"]

    assert first == application_config()
    assert (changed["name"], changed["deployments"][0]["user_config"]["version"]) == ("gpu", 5)


@pytest.mark.parametrize(
    ("deployments", "kept"),
    [
        (None, []),
        ([], []),
        ([{"name": "Greeter", "num_replicas": 2}], [{"name": "Greeter", "num_replicas": 2}]),
    ],
)
def test_a_deployment_that_the_configuration_leaves_out_is_added_as_it_runs(
    details: Details, deployments: list[Any] | None, kept: list[Any]
) -> None:
    put(details, deployments, *CONFIGURED, "deployments")
    put(details, {"version": 1, "threads": 4}, *DEPLOYMENT, "deployment_config", "user_config")

    (application,) = config_with(details, {"football": {"version": 2}})["applications"]

    assert application["deployments"] == [
        *kept,
        {"name": "Forecaster", "user_config": {"version": 2, "threads": 4}},
    ]


@pytest.mark.parametrize("user_config", [None, {}])
def test_a_deployment_without_user_config_is_written_with_the_running_one(
    details: Details, user_config: dict[str, Any] | None
) -> None:
    put(details, user_config, *CONFIGURED, "deployments", 0, "user_config")
    put(details, {"threads": 4}, *DEPLOYMENT, "deployment_config", "user_config")

    (application,) = config_with(details, {"football": {"version": 2}})["applications"]

    assert application["deployments"][0]["user_config"] == {"threads": 4, "version": 2}
    assert application["deployments"][0]["graceful_shutdown_timeout_s"] == 10.0


def test_an_application_of_a_program_is_left_out_and_cannot_be_changed(details: Details) -> None:
    put(details, None, *CONFIGURED)

    assert config_with(details, {})["applications"] == []
    with pytest.raises(DeploymentFailed) as raised:
        config_with(details, {"football": {"version": 2}})
    assert str(raised.value) == (
        "Application 'football' of Ray Serve was not deployed from a configuration: use `serve deploy`."
    )


@pytest.fixture
def endpoint() -> Iterator[SourceServer]:
    """An HTTP server with one `/health`."""
    with run_source_server() as server:
        server.files["/health"] = answer("first", 3)
        yield server


def answer(replica: str, version: int | None, error: str | None = None) -> bytes:
    return json.dumps({"replica": replica, "model_version": version, "model_error": error}).encode()


def asked(urls: list[str], replicas: int) -> Application:
    """An application to ask: replicas by number, and where they answer."""
    server = ServeServer(url="http://127.0.0.1:8000")
    server.replicas = [Replica(str(number)) for number in range(replicas)]
    return replace(only(server.details()), health=tuple(urls))


def test_replicas_answer_with_their_name_version_and_error(endpoint: SourceServer) -> None:
    """Four requests a replica, since a load balancer chooses which one answers."""
    endpoint.files["/health"] = answer("second", None, "no room on the device")

    answers = list(ask_replicas(asked([f"{endpoint.address}/health"], replicas=2)))

    assert answers == [Health("second", None, "no room on the device")] * 8
    assert [request.path for request in endpoint.requests] == ["/health"] * 8


def test_every_proxy_is_asked_in_turn(endpoint: SourceServer) -> None:
    endpoint.files["/gpu/health"] = answer("second", 4)

    answers = list(
        ask_replicas(asked([f"{endpoint.address}/health", f"{endpoint.address}/gpu/health"], replicas=1))
    )

    assert answers == [Health("first", 3, None), Health("second", 4, None)] * 4


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"starting",
        b"[]",
        b"null",
        b"{}",
        b'{"replica": "first", "model_version": 3}',
        b"\xff\xfe",
    ],
)
def test_a_broken_answer_is_none_and_given_up_after_one_more_than_there_are_replicas(
    endpoint: SourceServer, content: bytes
) -> None:
    endpoint.files["/health"] = content

    assert list(ask_replicas(asked([f"{endpoint.address}/health"], replicas=2))) == []
    assert len(endpoint.requests) == 3


def test_an_answer_with_an_error_status_is_none(endpoint: SourceServer) -> None:
    """One replica restarts meanwhile: the others are asked on."""
    endpoint.fail("/health", lambda request: request.answer(503, answer("first", 3), {}))

    answers = list(ask_replicas(asked([f"{endpoint.address}/health"], replicas=1)))

    assert answers == [Health("first", 3, None)] * 3
    assert len(endpoint.requests) == 4


def test_an_address_without_a_server_and_an_invalid_one_are_no_answer(endpoint: SourceServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    urls = [
        f"http://127.0.0.1:{port}/health",
        "http://localhost:port/health",
        "http://[nowhere/health",
        f"{endpoint.address}/health",
    ]

    answers = list(ask_replicas(asked(urls, replicas=5)))

    # The sixth failure ends it, in the second round.
    assert answers == [Health("first", 3, None)]


def test_an_application_whose_replicas_are_unknown_is_asked_like_one_with_one(endpoint: SourceServer) -> None:
    answers = list(ask_replicas(asked([f"{endpoint.address}/health"], replicas=0)))

    assert answers == [Health("first", 3, None)] * 4


def test_replicas_that_hang_are_given_up_once_the_patience_is_over() -> None:
    application = asked([], replicas=2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/health"
        hanging = replace(application, health=(url,), answering=frozenset("abcd"))

        assert list(ask_replicas(hanging, timeout=0.05, patience=0)) == []

        silent.setblocking(False)
        silent.accept()
        with pytest.raises(BlockingIOError):
            silent.accept()
