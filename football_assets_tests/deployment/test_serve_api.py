"""Whether Ray Serve answers from its configuration: when it is verified and reloaded, and its errors."""

import pytest

from football_assets.deployment.serve_api import ServeApi, Verified
from football_assets.deployment.serve_state import DeploymentFailed
from football_assets.runtime.serve_discovery import ServeAddress, ServeUnreachable
from football_assets_tests.builders.serve_server import TOKEN, Replica, ServeServer, application_config


def api_of(server: ServeServer) -> ServeApi:
    return ServeApi(ServeAddress(server.url, TOKEN))


def verify(server: ServeServer, patience: float = 60, follow_seconds: float = 60) -> Verified:
    """Verify that every replica answers from what the alias says on the server."""

    def resolve(reference: int | str) -> int:
        return server.production if reference == "production" else int(reference)

    return api_of(server).verify(resolve, patience, follow_seconds)


def versions(server: ServeServer) -> list[int | None]:
    return [replica.version for replica in server.replicas]


def test_a_promotion_is_followed_by_every_replica_and_nothing_is_told(server: ServeServer) -> None:
    server.production = 2

    verified = verify(server)

    assert versions(server) == [2, 2]
    assert (verified.versions, verified.replicas, verified.reloaded) == ({"football": 2}, 2, ())
    assert server.put == []


def test_a_version_is_not_verified_before_the_last_replica_answers_from_it(server: ServeServer) -> None:
    server.production = 2
    seen: list[list[int | None]] = []
    server.on_state = lambda state: seen.append(versions(state))

    verify(server)

    assert [1, 1] in seen
    assert [2, 1] in seen
    assert versions(server) == [2, 2]


def test_a_replica_that_lags_is_reloaded_and_serve_goes_on_following_the_alias(server: ServeServer) -> None:
    server.production, server.stuck = 2, {"second"}

    verified = verify(server, follow_seconds=0.3)

    assert versions(server) == [2, 2]
    assert verified.reloaded == ("football",)
    (sent,) = server.put
    expected = application_config()
    expected["deployments"][0]["user_config"]["reload"] = server.user_config["reload"]
    assert sent["applications"] == [expected]
    assert sent["http_options"] == server.details()["http_options"]
    assert sent["grpc_options"] == {"port": 9000, "grpc_servicer_functions": []}
    assert sent["proxy_location"] == "HeadOnly"
    assert api_of(server).state().wanted == {"production"}
    server.production = 1
    assert verify(server).versions == {"football": 1}
    assert len(server.put) == 1


def test_every_reload_changes_the_configuration(server: ServeServer) -> None:
    reloads = []
    for version in (2, 3):
        server.production, server.stuck = version, {"first"}
        verify(server, follow_seconds=0.1)
        reloads.append(server.user_config["reload"])

    assert reloads[0] != reloads[1]
    assert versions(server) == [3, 3]


def test_what_else_replicas_are_configured_with_stays_as_it_was(server: ServeServer) -> None:
    del server.user_config["threads"]
    server.user_config["provider"] = "cpu"
    server.taken_up = dict(server.user_config)
    server.production, server.stuck = 2, {"first"}

    verify(server, follow_seconds=0.1)

    assert server.user_config == {
        "version": "production",
        "provider": "cpu",
        "poll_seconds": 2,
        "reload": server.user_config["reload"],
    }


def test_a_version_that_cannot_be_loaded_is_tried_again_once_and_fails_with_the_replicas_reason(
    server: ServeServer,
) -> None:
    server.production = 2
    server.unloadable[2] = "registry/versions/2/model.onnx is corrupt"

    with pytest.raises(DeploymentFailed) as refused:
        verify(server)

    assert "cannot serve version 2 and answers from version 1: registry/versions/2/model.onnx" in str(
        refused.value
    )
    assert len(server.put) == 1
    assert versions(server) == [1, 1]
    assert api_of(server).state().wanted == {"production"}


def test_a_version_that_can_be_loaded_by_now_is_loaded_at_once(server: ServeServer) -> None:
    server.production, server.stuck = 2, {"first", "second"}
    for replica in server.replicas:
        replica.error = "registry/versions/2/model.onnx is corrupt"

    verified = verify(server)

    assert verified.reloaded == ("football",)
    assert versions(server) == [2, 2]


def test_an_error_of_an_earlier_version_does_not_fail_the_next(server: ServeServer) -> None:
    for replica in server.replicas:
        replica.error = "version 7 is corrupt"
    server.production, server.steps = 2, 8

    assert verify(server).replicas == 2


def test_an_alias_that_moves_meanwhile_is_verified_as_it_stands_at_the_end(server: ServeServer) -> None:
    server.production, server.stuck = 2, {"second"}

    def move(state: ServeServer) -> None:
        if state.replicas[0].version == 2:
            state.production, state.stuck = 3, set()

    server.on_state = move

    assert verify(server).versions == {"football": 3}
    assert server.put == []


def test_a_replica_that_is_added_meanwhile_must_answer_from_the_version_too(server: ServeServer) -> None:
    server.production, server.stuck = 2, {"third"}
    asked = []

    def scale(state: ServeServer) -> None:
        asked.append(versions(state))
        if versions(state) == [2, 1]:
            state.replicas.append(Replica("third", 1))
        elif asked[-3:] == [[2, 2, 1]] * 3:
            state.stuck.clear()

    server.on_state = scale

    assert verify(server).replicas == 3
    assert versions(server) == [2, 2, 2]


def test_a_replica_that_starts_is_not_waited_for(server: ServeServer) -> None:
    server.production = 2
    server.stuck.add("third")
    server.replicas.append(Replica("third", None, state="STARTING"))

    assert verify(server).replicas == 2


def test_a_replica_that_is_taken_away_meanwhile_is_not_waited_for(server: ServeServer) -> None:
    server.production, server.stuck = 2, {"second"}

    def scale(state: ServeServer) -> None:
        if versions(state) == [2, 1]:
            state.replicas.pop()

    server.on_state = scale

    assert verify(server).replicas == 1


def test_an_application_without_replicas_has_nothing_to_verify(server: ServeServer) -> None:
    server.replicas.clear()
    server.production = 2

    verified = verify(server)

    assert (verified.replicas, verified.versions, server.put) == (0, {"football": 2}, [])


def test_replicas_that_keep_the_old_version_fail_in_time(server: ServeServer) -> None:
    server.production, server.stuck, server.steps = 2, {"first", "second"}, 10_000

    with pytest.raises(DeploymentFailed, match=r"version 2 from 0 of 2 replicas of 'football'"):
        verify(server, patience=0.5, follow_seconds=0.1)

    assert len(server.put) == 1


def test_a_failed_application_is_reported_in_serves_words(server: ServeServer) -> None:
    server.status, server.message = "DEPLOY_FAILED", "Deploying app 'football' failed"
    server.production = 2

    with pytest.raises(
        DeploymentFailed, match="DEPLOY_FAILED with version 2: Deploying app 'football' failed"
    ):
        verify(server)


def test_a_number_in_the_configuration_is_a_persons_choice_and_stays(server: ServeServer) -> None:
    server.user_config["version"] = server.taken_up["version"] = 1
    server.production = 2

    verified = verify(server)

    assert (verified.versions, verified.reloaded, server.put) == ({"football": 1}, (), [])
    assert [item.is_pinned for item in api_of(server).state().applications] == [True]


def test_a_person_pins_a_version_and_lets_serve_follow_the_alias_again(server: ServeServer) -> None:
    pinned = api_of(server).pin(2, int)

    assert (pinned.versions, versions(server), server.wanted) == ({"football": 2}, [2, 2], 2)
    released = api_of(server).pin("production", lambda _: server.production)
    assert (released.versions, versions(server), server.wanted) == ({"football": 1}, [1, 1], "production")


def test_a_pinned_version_that_cannot_be_loaded_leaves_the_configuration_as_it_was(
    server: ServeServer,
) -> None:
    server.unloadable[2] = "no room on the device"

    with pytest.raises(
        DeploymentFailed, match=r"no room on the device The configuration with production is restored"
    ):
        api_of(server).pin(2, int)

    assert (server.wanted, versions(server)) == ("production", [1, 1])


def test_a_configuration_that_serve_refuses_is_reported(server: ServeServer) -> None:
    server.refuse_put = "1 validation error for ServeDeploySchema"

    with pytest.raises(DeploymentFailed, match=r"rejected the configuration \(400\): 1 validation error"):
        api_of(server).pin(2, int)


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("wrong", 403)])
def test_without_the_token_nothing_is_told(server: ServeServer, token: str | None, status: int) -> None:
    with pytest.raises(ServeUnreachable, match=rf"rejects the token of Ray \({status}\)"):
        ServeApi(ServeAddress(server.url, token)).pin(2, int)

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


def test_an_application_without_a_replica_is_not_asked_since_a_request_would_start_one(
    server: ServeServer,
) -> None:
    for replica in server.replicas:
        replica.state = "STOPPING"
    (application,) = api_of(server).state().applications

    assert api_of(server).health(application) == {}
    assert server.times_asked == 0


def test_the_token_is_not_shown_with_the_address() -> None:
    assert TOKEN not in repr(ServeAddress("http://127.0.0.1:8265", TOKEN))
