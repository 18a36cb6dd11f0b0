"""The gate's decisions, on both kinds of bucket."""

from pathlib import Path

import pytest

from football_assets.errors import RegistryError
from football_assets.registry.store import Registry
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.model_versions import published


@pytest.fixture
def registry(bucket_url: str) -> Registry:
    return Registry(open_bucket(bucket_url))


def test_the_last_decision_about_a_version_is_kept(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    assert registry.decision(1) is None
    registry.record_decision(1, {"accepted": False})
    registry.record_decision(1, {"accepted": True})
    assert registry.decision(1) == {"accepted": True}
    assert registry.versions() == [1]


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"<html>",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"accepted": "yes"}',
        b'{"accepted": null}',
        b'{"accepted": true, "reasons": 7}',
        b'{"accepted": true, "reasons": [], "refusals": "no"}',
        b'{"accepted": true, "comparisons": {}}',
    ],
    ids=range(10),
)
def test_a_corrupt_decision_is_named(registry: Registry, damaged: bytes) -> None:
    registry.bucket.write("registry/decisions/1.json", damaged)

    with pytest.raises(RegistryError, match=r"registry/decisions/1\.json in .* is corrupt"):
        registry.decision(1)
