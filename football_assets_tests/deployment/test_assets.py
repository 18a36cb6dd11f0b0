"""`serving_deployment` and its checks as Dagster runs, on real bundles and a server of Serve's REST API."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetKey,
    AssetSpec,
    ExecuteInProcessResult,
    materialize,
)

from football_assets.deployment.assets import assets, serving_deployment
from football_assets.deployment.checks import production_is_what_serves
from football_assets.orchestration.resources import BucketResource
from football_assets.registry.store import VERSIONS, Registry
from football_assets.runtime.serve_discovery import announced, make_token
from football_assets.settings import Settings
from football_assets.storage.model_files import METRICS
from football_assets_tests.builders.registry_graph import evaluations, metadata, simulated_bundle
from football_assets_tests.builders.serve_server import TOKEN, ServeServer


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated bundle: read it, do not write."""
    return simulated_bundle(tmp_path_factory)


@pytest.fixture
def home(
    tmp_path: Path, bundle: Path, server: ServeServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """A home with versions 1 and 2, of which 1 is in production, beside a running Serve."""
    settings = Settings(home=tmp_path / "home")
    monkeypatch.setenv("FOOTBALL_HOME", str(settings.home))
    registry = Registry(resource(settings).open())
    registry.promote(registry.publish(bundle, {}))
    second = Path(shutil.copytree(bundle, tmp_path / "second"))
    metrics = json.loads((second / METRICS).read_text())
    (second / METRICS).write_text(json.dumps(metrics | {"note": "the second"}))
    registry.publish(second, {})
    make_token(settings, TOKEN)
    with announced(settings, server.url):
        yield settings


def resource(settings: Settings) -> BucketResource:
    return BucketResource(url=settings.bucket_url, scratch=str(settings.scratch))


def run(settings: Settings, *definitions: Any, **arguments: Any) -> ExecuteInProcessResult:
    upstream = [AssetSpec(AssetKey("registered_model")), AssetSpec(AssetKey("onnx_model"))]
    return materialize(
        [*upstream, *(definitions or assets)], resources={"bucket": resource(settings)}, **arguments
    )


def registry_of(settings: Settings) -> Registry:
    return Registry(resource(settings).open())


def promote(settings: Settings, server: ServeServer, version: int) -> None:
    """Move the alias, which the server's replicas follow."""
    registry_of(settings).promote(version)
    server.production = version


def test_the_production_version_is_verified_and_the_run_says_what_was_seen(
    home: Settings, server: ServeServer
) -> None:
    promote(home, server, 2)

    result = run(home, serving_deployment, production_is_what_serves)

    assert server.put == []
    shown = metadata(result, "serving_deployment")
    assert (shown["version"], shown["applications"], shown["replicas"]) == (2, "football: 2", 2)
    assert (shown["pinned"], shown["reloaded"]) == ("none", "none")
    assert (shown["serve"], shown["session"]) == (server.url, server.session)
    assert shown["seconds"] >= 0  # rounded
    assert [replica.version for replica in server.replicas] == [2, 2]
    check = evaluations(result)["production_is_what_serves"]
    assert check.passed
    assert {name: value.value for name, value in check.metadata.items()} == {
        "production": "2",
        "wanted": "production",
        "answering": "2",
        "replicas": 2,
    }


def test_a_version_of_a_persons_choice_is_pinned_stays_and_the_check_says_that_it_is_not_production(
    home: Settings, server: ServeServer
) -> None:
    config = {"ops": {"serving_deployment": {"config": {"version": "2"}}}}

    run(home, run_config=config)
    result = run(home, serving_deployment, production_is_what_serves)

    assert (server.wanted, len(server.put)) == (2, 1)
    shown = metadata(result, "serving_deployment")
    assert (shown["version"], shown["pinned"]) == (2, "football: 2")
    check = evaluations(result)["production_is_what_serves"]
    assert not check.passed
    assert (
        check.description
        == "Application 'football' serves 2 by its configuration, not the alias 'production'."
    )


def test_a_person_lets_serve_follow_the_alias_again(home: Settings, server: ServeServer) -> None:
    for version in ("2", "production"):
        config = {"ops": {"serving_deployment": {"config": {"version": version}}}}
        result = run(home, serving_deployment, production_is_what_serves, run_config=config)

    assert server.wanted == "production"
    assert [replica.version for replica in server.replicas] == [1, 1]
    assert evaluations(result)["production_is_what_serves"].passed


def test_a_replica_that_lags_is_reloaded_and_the_run_says_so(home: Settings, server: ServeServer) -> None:
    promote(home, server, 2)
    server.replicas[0].error = "the bucket could not be read"
    server.stuck.add("first")

    result = run(home)

    assert metadata(result, "serving_deployment")["reloaded"] == "football"
    assert [replica.version for replica in server.replicas] == [2, 2]


def test_a_corrupt_bundle_is_refused_before_serve_is_told_anything(
    home: Settings, server: ServeServer
) -> None:
    promote(home, server, 2)
    resource(home).open().write(f"{VERSIONS}2/team_state.parquet", b"rotten")

    with pytest.raises(Exception, match=r"team_state.parquet is corrupt"):
        run(home)

    assert server.put == []


def test_a_version_that_replicas_cannot_load_fails_the_run_and_the_old_one_goes_on(
    home: Settings, server: ServeServer
) -> None:
    promote(home, server, 2)
    server.unloadable[2] = "no room on the device"

    with pytest.raises(Exception, match="cannot serve version 2 and answers from version 1: no room"):
        run(home)

    assert server.wanted == "production"
    assert [replica.version for replica in server.replicas] == [1, 1]


def test_without_a_running_serve_the_run_says_how_to_start_it(
    home: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "another"))

    with pytest.raises(Exception, match="start `football serve` or `football up`"):
        run(home)
