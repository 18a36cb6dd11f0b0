"""References to model versions and the decisions about them, on both kinds of bucket."""

from pathlib import Path

import pytest

from football_assets.errors import RegistryError
from football_assets.registry.store import Registry
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.model_versions import published


@pytest.fixture
def registry(bucket_url: str) -> Registry:
    return Registry(open_bucket(bucket_url))


def test_unknown_versions_and_aliases_are_refused_with_what_there_is(
    registry: Registry, tmp_path: Path
) -> None:
    with pytest.raises(RegistryError, match="None was published yet"):
        registry.fetch("production", tmp_path)
    published(registry, tmp_path, 2)
    with pytest.raises(RegistryError, match="no model version 9.*Versions: 1, 2"):
        registry.promote(9)
    with pytest.raises(RegistryError, match="'champion' is not a model version"):
        registry.resolve("champion")
    with pytest.raises(RegistryError, match="'champion' is not an alias"):
        registry.set_alias("champion", 1)
    with pytest.raises(RegistryError, match="No model version is 'production'"):
        registry.resolve("production")
    assert registry.aliases() == {}


def test_the_last_decision_about_a_version_is_kept(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    assert registry.decision(1) is None
    registry.record_decision(1, {"accepted": False})
    registry.record_decision(1, {"accepted": True})
    assert registry.decision(1) == {"accepted": True}
    assert registry.versions() == [1]
