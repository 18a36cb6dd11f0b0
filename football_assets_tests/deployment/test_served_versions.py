"""What is served is asked of Serve and its replicas; a doubt is said, not guessed away."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from football_assets.deployment.served_versions import ServedVersions, served_versions
from football_assets.registry.store import Registry
from football_assets.settings import Settings
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.retention_worlds import add_version, set_aliases
from football_assets_tests.builders.serve_server import TOKEN, ServeServer


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    bucket = LocalBucket(tmp_path / "bucket")
    for number in (1, 2, 3):
        add_version(bucket, number, 1)
    set_aliases(bucket, production=2)
    return Registry(bucket)


def settings_of(server: ServeServer, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", serve_api=server.url, serve_token=SecretStr(TOKEN))


def test_no_serve_on_the_home_serves_nothing(registry: Registry, tmp_path: Path) -> None:
    assert served_versions(Settings(home=tmp_path / "home"), registry) == ServedVersions()


def test_the_configured_version_and_those_of_all_replicas_are_served(
    server: ServeServer, registry: Registry, tmp_path: Path
) -> None:
    server.stuck = {replica.name for replica in server.replicas}
    server.replicas[0].version = 1
    server.replicas[1].version = 3

    assert served_versions(settings_of(server, tmp_path), registry) == ServedVersions(frozenset({1, 2, 3}))


def test_a_serve_that_does_not_answer_is_a_doubt(registry: Registry, tmp_path: Path) -> None:
    nobody = Settings(home=tmp_path / "home", serve_api="http://127.0.0.1:9")

    served = served_versions(nobody, registry)

    assert served.versions == frozenset()
    assert "127.0.0.1:9" in str(served.doubt)


def test_a_replica_that_does_not_answer_is_a_doubt(
    server: ServeServer, registry: Registry, tmp_path: Path
) -> None:
    server.replicas[1].state = "STARTING"

    assert "1 of 2 replicas of football answered" in str(
        served_versions(settings_of(server, tmp_path), registry).doubt
    )
