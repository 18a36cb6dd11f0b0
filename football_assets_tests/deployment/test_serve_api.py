"""Telling Ray Serve a version: what is sent, when it counts as done, and what is said when it is not."""

import pytest

from football_assets.deployment.serve_api import DeploymentFailed, ServeApi
from football_assets.serve_address import ServeAddress, ServeUnreachable
from football_assets_tests.deployment.serve_server import TOKEN, Replica, ServeServer, application_config


def api_of(server: ServeServer) -> ServeApi:
    return ServeApi(ServeAddress(server.url, TOKEN))


def versions(server: ServeServer) -> list[int | None]:
    return [replica.version for replica in server.replicas]


def test_every_replica_answers_from_a_deployed_version(server: ServeServer) -> None:
    deployed = api_of(server).deploy(2)

    assert versions(server) == [2, 2]
    assert (deployed.version, deployed.replicas, deployed.before) == (2, 2, {"football": 1})
    assert api_of(server).state().wanted == {2}


def test_a_version_is_not_deployed_before_the_last_replica_answers_from_it(server: ServeServer) -> None:
    server.steps = 12
    seen: list[list[int | None]] = []
    server.on_state = lambda state: seen.append(versions(state))

    api_of(server).deploy(2)

    assert [1, 1] in seen
    assert [1, 2] in seen
    assert versions(server) == [2, 2]


def test_nothing_but_the_version_changes_in_the_configuration(server: ServeServer) -> None:
    api_of(server).deploy(2)

    (sent,) = server.put
    expected = application_config()
    expected["deployments"][0]["user_config"]["version"] = 2
    assert sent["applications"] == [expected]
    assert sent["http_options"] == server.details()["http_options"]
    assert sent["grpc_options"] == {"port": 9000, "grpc_servicer_functions": []}
    assert sent["proxy_location"] == "HeadOnly"


def test_what_else_replicas_are_configured_with_stays_as_it_was(server: ServeServer) -> None:
    del server.config["deployments"][0]["user_config"]["threads"]
    server.config["deployments"][0]["user_config"]["provider"] = "cpu"

    api_of(server).deploy(2)

    user_config = server.put[0]["applications"][0]["deployments"][0]["user_config"]
    assert user_config == {"version": 2, "provider": "cpu", "poll_seconds": 2}


def test_a_version_that_cannot_be_loaded_fails_with_the_replicas_reason_and_the_old_one_is_configured_again(
    server: ServeServer,
) -> None:
    server.unloadable[2] = "registry/versions/2/model.onnx is corrupt"

    with pytest.raises(DeploymentFailed) as refused:
        api_of(server).deploy(2)

    assert "cannot serve version 2 and answers from version 1: registry/versions/2/model.onnx" in str(
        refused.value
    )
    assert "go on with 1" in str(refused.value)
    assert [
        config["applications"][0]["deployments"][0]["user_config"]["version"] for config in server.put
    ] == [
        2,
        1,
    ]
    assert versions(server) == [1, 1]


def test_an_error_of_an_earlier_version_does_not_fail_the_next(server: ServeServer) -> None:
    for replica in server.replicas:
        replica.error = "version 7 is corrupt"
    server.steps = 8

    assert api_of(server).deploy(2).replicas == 2


def test_a_replica_that_is_added_meanwhile_must_answer_from_the_version_too(server: ServeServer) -> None:
    seen: list[list[int | None]] = []

    def scale(state: ServeServer) -> None:
        seen.append(versions(state))
        if state.put and len(state.replicas) == 2:
            state.replicas.append(Replica("third", 1))
        elif seen[-3:] == [[2, 2, 1]] * 3:
            state.replicas[2].version = 2

    server.on_state = scale

    assert api_of(server).deploy(2).replicas == 3
    assert versions(server) == [2, 2, 2]


def test_a_replica_that_starts_is_not_waited_for(server: ServeServer) -> None:
    server.replicas.append(Replica("third", None, state="STARTING"))

    assert api_of(server).deploy(2).replicas == 2


def test_a_replica_that_is_taken_away_meanwhile_is_not_waited_for(server: ServeServer) -> None:
    def scale(state: ServeServer) -> None:
        if state.put and len(state.replicas) == 2:
            state.replicas.pop()

    server.on_state = scale

    assert api_of(server).deploy(2).replicas == 1


def test_an_application_without_replicas_is_told_the_version_for_those_to_come(server: ServeServer) -> None:
    server.replicas.clear()

    assert api_of(server).deploy(2).replicas == 0
    assert server.wanted == 2


def test_replicas_that_keep_the_old_version_fail_the_deployment_in_time(server: ServeServer) -> None:
    server.steps = 10_000

    with pytest.raises(DeploymentFailed, match=r"Version 2 answers from 0 of 2 replicas of 'football'"):
        api_of(server).deploy(2, patience=0.3)

    assert server.wanted == 1


def test_a_failed_application_is_reported_in_serves_words(server: ServeServer) -> None:
    server.steps = 1

    def fail(state: ServeServer) -> None:
        if state.wanted == 2:
            state.status, state.message = "DEPLOY_FAILED", "Deploying app 'football' failed"

    server.on_state = fail

    with pytest.raises(
        DeploymentFailed, match="DEPLOY_FAILED with version 2: Deploying app 'football' failed"
    ):
        api_of(server).deploy(2)


def test_of_two_deployments_at_once_the_later_stays(server: ServeServer) -> None:
    def another(state: ServeServer) -> None:
        if len(state.put) == 1:
            config = state.put[0]
            config["applications"][0]["deployments"][0]["user_config"]["version"] = 3
            state.take(config)

    server.on_state = another

    with pytest.raises(DeploymentFailed, match="told to serve 3 while version 2 was being deployed"):
        api_of(server).deploy(2)

    assert server.wanted == 3


def test_a_configuration_that_serve_refuses_is_reported(server: ServeServer) -> None:
    server.refuse_put = "1 validation error for ServeDeploySchema"

    with pytest.raises(DeploymentFailed, match=r"refused the configuration \(400\): 1 validation error"):
        api_of(server).deploy(2)


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("wrong", 403)])
def test_without_the_token_nothing_is_told(server: ServeServer, token: str | None, status: int) -> None:
    with pytest.raises(ServeUnreachable, match=rf"refuses the token of Ray \({status}\)"):
        ServeApi(ServeAddress(server.url, token)).deploy(2)

    assert server.put == []


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(ServeUnreachable, match="does not answer at http://127.0.0.1:9/api"):
        ServeApi(ServeAddress("http://127.0.0.1:9")).state()


def test_a_serve_without_the_forecaster_is_not_ready(server: ServeServer) -> None:
    server.deployed = False

    with pytest.raises(ServeUnreachable, match="no application with a deployment 'Forecaster' yet"):
        api_of(server).state()


def test_an_endpoint_on_all_addresses_is_asked_at_its_proxy_below_its_prefix(server: ServeServer) -> None:
    server.host, server.route_prefix = "0.0.0.0", "/gpu"

    (application,) = api_of(server).state().applications

    assert application.health == (f"{server.url}/gpu/health",)
    assert {item.version for item in api_of(server).health(application).values()} == {1}


def test_the_token_is_not_shown_with_the_address() -> None:
    assert TOKEN not in repr(ServeAddress("http://127.0.0.1:8265", TOKEN))
