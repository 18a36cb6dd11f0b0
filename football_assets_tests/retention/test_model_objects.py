"""Artifacts and versions that nothing names go, unless they are stored again meanwhile."""

from pathlib import Path

import pytest

from football_assets.registry.store import Registry
from football_assets.retention.model_objects import (
    removable_artifacts,
    removable_checkpoints,
    removable_versions,
)
from football_assets.storage.artifacts import folder_digest, publish
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.retention_worlds import (
    NOW,
    add_artifact,
    add_version,
    set_aliases,
    write_aged,
)


@pytest.fixture
def bucket(tmp_path: Path) -> LocalBucket:
    return LocalBucket(tmp_path / "bucket")


def test_a_content_that_is_published_meanwhile_stays(bucket: LocalBucket, tmp_path: Path) -> None:
    add_artifact(bucket, tmp_path / "current", "tensors", "current", 50)
    source = tmp_path / "source"
    source.mkdir()
    (source / "data.txt").write_text("again")
    digest = folder_digest(source)
    write_aged(bucket, f"artifacts/tensors/{digest}/data.txt", b"again", 50)
    (listed,) = removable_artifacts(bucket, 7, NOW)
    assert listed.name == f"tensors/{digest}"

    assert publish(bucket, "tensors", source) == digest

    assert not listed.remove()
    assert bucket.read(f"artifacts/tensors/{digest}/data.txt") == b"again"


def test_a_content_that_is_stored_and_not_yet_pointed_to_stays(bucket: LocalBucket, tmp_path: Path) -> None:
    add_artifact(bucket, tmp_path / "current", "tensors", "current", 50)
    write_aged(bucket, "artifacts/tensors/other/data.txt", b"other", 50)
    (listed,) = removable_artifacts(bucket, 7, NOW)

    bucket.write("artifacts/tensors/other/data.txt", b"other")

    assert not listed.remove()
    assert bucket.stat("artifacts/tensors/other/data.txt") is not None


def test_an_artifact_without_a_pointer_is_left_alone(bucket: LocalBucket) -> None:
    write_aged(bucket, "artifacts/tensors/other/data.txt", b"other", 50)
    write_aged(bucket, "artifacts/notes.txt", b"mine", 50)

    assert list(removable_artifacts(bucket, 7, NOW)) == []


def test_what_a_publisher_that_died_left_goes_except_the_highest_number(bucket: LocalBucket) -> None:
    add_version(bucket, 1, 50)
    add_version(bucket, 2, 50, complete=False)
    add_version(bucket, 3, 50, complete=False)

    found = list(removable_versions(Registry(bucket), {1: "alias"}, 7, NOW))

    assert [(item.name, item.why) for item in found] == [("2", "its publisher died")]
    assert found[0].remove()
    assert {item.name.split("/")[2] for item in bucket.list("registry/versions/")} == {"1", "3"}


def test_a_version_that_gets_an_alias_meanwhile_stays_whole(bucket: LocalBucket) -> None:
    for number in (1, 2):
        add_version(bucket, number, 50)
    set_aliases(bucket, production=2)
    (listed,) = removable_versions(Registry(bucket), {2: "alias"}, 7, NOW)

    Registry(bucket).promote(1)

    assert not listed.remove()
    assert Registry(bucket).read(1, "model_card.md") == b"version 1"


def test_checkpoints_go_once_their_training_has_stored_none_for_days(bucket: LocalBucket) -> None:
    for training, file, days in (
        ("failed", "checkpoint_1/state.json", 9),
        ("failed", "checkpoint_2/state.json", 8),
        ("running", "checkpoint_1/state.json", 9),
        ("running", "checkpoint_2/state.json", 0.1),
    ):
        write_aged(bucket, f"training_checkpoints/{training}/{file}", b"{}", days)

    (found,) = removable_checkpoints(bucket, 7, NOW)

    assert (found.name, found.bytes) == ("failed", 4)
    assert found.remove()
    assert {item.name.split("/")[1] for item in bucket.list("training_checkpoints/")} == {"running"}


def test_checkpoints_of_a_training_that_resumes_meanwhile_stay(bucket: LocalBucket) -> None:
    name = write_aged(bucket, "training_checkpoints/resumed/checkpoint_1/state.json", b"{}", 9)
    (listed,) = removable_checkpoints(bucket, 7, NOW)

    bucket.write(name, b"{}")

    assert not listed.remove()
    assert bucket.stat(name) is not None
