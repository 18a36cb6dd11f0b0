"""What the check of Ray Serve passes, what it fails, and what it says, on a server of Serve's REST API."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetCheckResult, AssetCheckSeverity, AssetKey

from football_assets.deployment.checks import checks, production_is_what_serves
from football_assets.orchestration.resources import BucketResource
from football_assets.registry.store import ALIASES_OBJECT, Registry
from football_assets.runtime.serve_discovery import announced, make_token
from football_assets.settings import Settings
from football_assets_tests.builders.serve_server import TOKEN, ServeServer


@pytest.fixture
def bucket(tmp_path: Path, server: ServeServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketResource]:
    """The bucket of a home beside a running Serve, with versions 1 and 2, of which 1 is in production."""
    settings = Settings(home=tmp_path / "home")
    monkeypatch.setenv("FOOTBALL_HOME", str(settings.home))
    bucket = BucketResource(url=settings.bucket_url, scratch=str(settings.scratch))
    registry = Registry(bucket.open())
    for number in (1, 2):
        bundle = tmp_path / f"bundle{number}"
        bundle.mkdir()
        (bundle / "metrics.json").write_text(str(number))
        assert registry.publish(bundle, {}) == number
    registry.promote(1)
    make_token(settings, TOKEN)
    with announced(settings, server.url):
        yield bucket


def evaluate(bucket: BucketResource) -> AssetCheckResult:
    result = production_is_what_serves(bucket)
    assert isinstance(result, AssetCheckResult)
    assert result.severity is AssetCheckSeverity.ERROR
    return result


def shown(result: AssetCheckResult) -> dict[str, Any]:
    return {name: value.value for name, value in result.metadata.items()}


def stay_at(server: ServeServer, *versions: int | None) -> None:
    """Let the replicas answer from these versions, whatever the alias is."""
    for replica, version in zip(server.replicas, versions, strict=True):
        replica.version = version
        server.stuck.add(replica.name)


def test_it_is_a_check_of_the_deployment() -> None:
    (spec,) = (spec for check in checks for spec in check.check_specs)

    assert (spec.asset_key, spec.name) == (AssetKey("serving_deployment"), "production_is_what_serves")
    assert spec.description is not None
    assert "every replica that was asked answers from that version" in spec.description


def test_replicas_that_answer_from_production_pass(bucket: BucketResource, server: ServeServer) -> None:
    Registry(bucket.open()).promote(2)
    stay_at(server, 2, 2)

    result = evaluate(bucket)

    assert result.passed
    assert result.description is None
    assert shown(result) == {"production": "2", "wanted": "production", "answering": "2", "replicas": 2}
    assert server.put == []


def test_the_check_reports_what_keeps_a_replica_from_production(
    bucket: BucketResource, server: ServeServer
) -> None:
    server.replicas[0].version, server.replicas[0].error = 2, "the log cannot be written"
    server.stuck.add("first")

    check = evaluate(bucket)

    assert not check.passed
    assert check.description == "the log cannot be written"
    assert check.metadata["answering"].value == "1, 2"


def test_a_replica_that_lags_fails_without_an_error_of_its_own(
    bucket: BucketResource, server: ServeServer
) -> None:
    Registry(bucket.open()).promote(2)
    stay_at(server, 2, 1)

    result = evaluate(bucket)

    assert not result.passed
    assert shown(result) == {"production": "2", "wanted": "production", "answering": "1, 2", "replicas": 2}


def test_a_replica_without_a_model_fails(bucket: BucketResource, server: ServeServer) -> None:
    stay_at(server, 1, None)
    server.replicas[1].error = "No model could be loaded."

    result = evaluate(bucket)

    assert not result.passed
    assert result.description == "No model could be loaded."
    assert shown(result)["answering"] == "1, None"


def test_an_error_alone_is_reported_and_does_not_fail(bucket: BucketResource, server: ServeServer) -> None:
    """The replica answers from production; a later version could not be loaded."""
    stay_at(server, 1, 1)
    server.replicas[1].error = "registry/versions/2/model.onnx is corrupt"

    result = evaluate(bucket)

    assert result.passed
    assert result.description == "registry/versions/2/model.onnx is corrupt"


@pytest.mark.parametrize("pinned", [1, "candidate"])
def test_an_application_that_is_pinned_fails_even_to_the_production_version(
    bucket: BucketResource, server: ServeServer, pinned: int | str
) -> None:
    server.user_config["version"] = pinned

    result = evaluate(bucket)

    assert not result.passed
    assert result.description == (
        f"Application 'football' serves {pinned!r} by its configuration, not the alias 'production'."
    )
    assert shown(result) == {
        "production": "1",
        "wanted": str(pinned),
        "answering": "1",
        "replicas": 2,
    }


def test_what_is_pinned_is_said_before_the_errors_of_replicas(
    bucket: BucketResource, server: ServeServer
) -> None:
    server.user_config["version"] = 2
    stay_at(server, 1, 1)
    server.replicas[0].error = "no room on the device."

    assert evaluate(bucket).description == (
        "Application 'football' serves 2 by its configuration, not the alias 'production'. no room on the device."
    )


def test_a_serve_without_replicas_serves_nothing_else(bucket: BucketResource, server: ServeServer) -> None:
    server.replicas.clear()

    result = evaluate(bucket)

    assert result.passed
    assert shown(result) == {"production": "1", "wanted": "production", "answering": "", "replicas": 0}


def test_a_version_that_answers_while_none_is_in_production_fails(
    bucket: BucketResource, server: ServeServer
) -> None:
    bucket.open().delete(ALIASES_OBJECT)

    result = evaluate(bucket)

    assert not result.passed
    assert shown(result) == {"production": "None", "wanted": "production", "answering": "1", "replicas": 2}


def test_a_serve_that_does_not_run_fails_with_how_to_start_it(
    bucket: BucketResource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "another"))

    result = evaluate(bucket)

    assert not result.passed
    assert result.description == (
        f"Ray Serve does not run on home {tmp_path / 'another'}: start `football serve` or `football up`, or set "
        "FOOTBALL_SERVE_API to its address."
    )
    assert result.metadata == {}


def test_a_serve_that_rejects_the_token_or_lacks_the_forecaster_fails_with_the_reason(
    bucket: BucketResource, server: ServeServer, tmp_path: Path
) -> None:
    server.deployed = False
    result = evaluate(bucket)
    assert not result.passed
    assert "runs no application with a deployment 'Forecaster' yet" in str(result.description)

    make_token(Settings(home=tmp_path / "home"), "wrong")
    result = evaluate(bucket)
    assert not result.passed
    assert "rejects the token of Ray (403)" in str(result.description)
