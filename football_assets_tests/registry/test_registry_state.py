"""The state of the registry: which versions are checked, and an event for every change."""

from pathlib import Path

import pytest

from football_assets.errors import SignaturePolicyError
from football_assets.registry.registry_state import read_registry
from football_assets.registry.store import VERSIONS, Registry
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.model_versions import published, small_bundle
from football_assets_tests.builders.signing_keys import make_key


@pytest.fixture
def registry(bucket_url: str) -> Registry:
    return Registry(open_bucket(bucket_url))


def test_an_empty_registry_has_no_production_version(registry: Registry) -> None:
    state = read_registry(registry)

    assert (state.production, state.versions_in_view) == (None, frozenset())
    assert (state.registered_by, state.registered) == (None, None)


def test_the_newest_version_and_those_with_an_alias_are_in_view(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 4)
    registry.promote(1)
    registry.promote(2)
    registry.set_alias("candidate", 2)

    state = read_registry(registry)

    assert state.production == 2
    assert state.versions_in_view == {1, 2, 4}


def test_every_change_has_an_event_of_its_own_also_if_an_earlier_state_is_restored(
    registry: Registry, tmp_path: Path
) -> None:
    published(registry, tmp_path, 2)
    events = [read_registry(registry).event]
    for version in (1, 2, 1, 2, 1):
        registry.promote(version)
        events.append(read_registry(registry).event)
    registry.publish(small_bundle(tmp_path / "third", "third"), {})
    events.append(read_registry(registry).event)

    assert len(set(events)) == len(events)
    assert read_registry(registry).event == events[-1]


def test_the_run_that_registered_production_is_read_and_a_corrupt_version_has_none(
    registry: Registry, tmp_path: Path
) -> None:
    registry.promote(registry.publish(small_bundle(tmp_path / "one"), {"run_id": "r1"}))
    state = read_registry(registry)
    assert (state.registered_by, state.registered) == ("r1", registry.manifest(1).published)

    registry.bucket.write(f"{VERSIONS}1/manifest.json", b"{")

    state = read_registry(registry)
    assert (state.production, state.registered_by, state.registered) == (1, None, None)


def test_a_run_is_not_read_from_a_manifest_that_is_not_signed(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_SIGNING_KEY", str(make_key(tmp_path / "keys").private))
    signed = Registry(registry.bucket)
    signed.promote(signed.publish(small_bundle(tmp_path / "one"), {"run_id": "r1"}))
    assert read_registry(Registry(registry.bucket)).registered_by == "r1"

    name = f"{VERSIONS}1/manifest.json"
    registry.bucket.write(name, registry.bucket.read(name).replace(b"r1", b"r2"))

    state = read_registry(Registry(registry.bucket))
    assert (state.production, state.registered_by, state.registered) == (1, None, None)


def test_an_accepted_key_that_cannot_be_read_is_an_error_and_not_a_version_without_a_run(
    registry: Registry, tmp_path: Path
) -> None:
    key = make_key(tmp_path / "keys")
    signed = Registry(registry.bucket, key.signing)
    signed.promote(signed.publish(small_bundle(tmp_path / "one"), {"run_id": "r1"}))
    reader = Registry(registry.bucket, key.verifying)
    content = key.public.read_bytes()

    key.public.unlink()
    with pytest.raises(SignaturePolicyError, match=r"FOOTBALL_VERIFY_KEYS .* cannot be read"):
        read_registry(reader)
    key.public.write_bytes(content)
    assert read_registry(reader).registered_by == "r1"
