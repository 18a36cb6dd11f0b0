"""References to model versions and the decisions about them, on both kinds of bucket."""

from collections.abc import Callable
from pathlib import Path

import pytest

from football_assets.errors import RegistryError
from football_assets.registry.aliases import AliasState
from football_assets.registry.gate import rejection
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
        registry.open("production").load(tmp_path)
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


def test_a_version_without_an_alias_is_removed_and_one_with_an_alias_is_not(
    registry: Registry, tmp_path: Path
) -> None:
    published(registry, tmp_path, 4)
    registry.promote(1)
    registry.promote(2)
    registry.rollback()  # withdraws 2
    registry.set_alias("candidate", 3)
    registry.record_decision(4, rejection("Too few.").to_dict())

    assert [registry.remove(version) for version in (1, 2, 3, 4)] == [False, False, False, True]

    assert registry.versions() == [1, 2, 3]
    assert [item.name for item in registry.bucket.list("registry/versions/4/")] == []
    assert registry.decision(4) == rejection("Too few.").to_dict()
    with pytest.raises(RegistryError, match="no model version 4"):
        registry.promote(4)


def test_a_version_that_gets_an_alias_while_it_is_removed_stays_whole(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(registry, tmp_path, 2)
    other = Registry(open_bucket(registry.bucket.url))
    reads: list[int] = []
    read = registry._aliases.read

    def promoted_meanwhile() -> AliasState:
        if len(reads) == 1:  # between the first look and the second, after the manifest was removed
            other._aliases.change(lambda state: state.promoted(1))
        reads.append(1)
        return read()

    monkeypatch.setattr(registry._aliases, "read", promoted_meanwhile)

    assert not registry.remove(1)
    assert other.aliases() == {"production": 1}
    assert other.open("production").load(tmp_path / "scratch").files


def test_an_alias_for_a_version_that_is_removed_meanwhile_is_taken_back(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(registry, tmp_path, 3)
    registry.promote(2)
    change = registry._aliases.change

    def removed_first(changed: Callable[[AliasState], AliasState]) -> None:
        monkeypatch.undo()
        assert Registry(registry.bucket).remove(1)
        change(changed)

    monkeypatch.setattr(registry._aliases, "change", removed_first)

    with pytest.raises(RegistryError, match="no model version 1"):
        registry.promote(1)
    assert registry.aliases() == {"production": 2}
