"""A version is validated as the gate and the replicas do before they load it."""

from pathlib import Path

import pytest

from football_assets.registry.store import Registry
from football_assets.registry.validation import validate_version
from football_assets.storage.local import LocalBucket


def test_a_registered_version_is_whole_with_the_decision_of_the_gate(
    demo_bucket: LocalBucket, tmp_path: Path
) -> None:
    registry = Registry(demo_bucket)
    decision = registry.decision(registry.resolve("candidate"))
    assert decision is not None

    found = validate_version(registry, "candidate", tmp_path)

    assert found.is_valid
    assert found.version == registry.aliases()["candidate"]
    assert found.is_accepted is decision["accepted"]
    assert found.reasons == tuple(decision["reasons"])


def test_a_version_with_an_altered_file_is_invalid_and_named(
    demo_bucket: LocalBucket, tmp_path: Path
) -> None:
    registry = Registry(demo_bucket)
    version = registry.resolve("production")
    (name,) = (
        item.name for item in demo_bucket.list("registry/versions/") if item.name.endswith("model.onnx")
    )
    content = bytearray(demo_bucket.read(name))
    content[1000] ^= 1
    demo_bucket.write(name, bytes(content))

    found = validate_version(registry, "production", tmp_path)

    assert not found.is_valid
    assert found.version == version
    assert "model.onnx" in str(found.problem)
    assert found.is_accepted is None


def test_a_version_that_does_not_exist_is_invalid(tmp_path: Path) -> None:
    registry = Registry(LocalBucket(tmp_path / "bucket"))

    assert "candidate" in str(validate_version(registry, "candidate", tmp_path).problem)
    assert validate_version(registry, 7, tmp_path).version == 7
    assert not validate_version(registry, 7, tmp_path).is_valid


def test_a_whole_version_before_the_gate_decided_has_no_decision(
    demo_bucket: LocalBucket, tmp_path: Path
) -> None:
    registry = Registry(demo_bucket)
    version = registry.resolve("candidate")
    demo_bucket.delete(f"registry/decisions/{version}.json")

    found = validate_version(registry, version, tmp_path)

    assert found.is_valid
    assert (found.is_accepted, found.reasons) == (None, ())


@pytest.mark.parametrize(
    "decision", [b"<html>", b'{"accepted": "yes", "reasons": []}', b'{"accepted": true, "reasons": 7}']
)
def test_a_version_with_a_corrupt_decision_is_invalid_and_named(
    demo_bucket: LocalBucket, tmp_path: Path, decision: bytes
) -> None:
    registry = Registry(demo_bucket)
    version = registry.resolve("production")
    registry.bucket.write(f"registry/decisions/{version}.json", decision)

    found = validate_version(registry, version, tmp_path)

    assert found.version == version
    assert "decision" in str(found.problem)
    assert "is corrupt" in str(found.problem)
