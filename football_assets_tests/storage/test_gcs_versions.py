"""Objects restored from the versions of a bucket, by a server of the Google Cloud Storage API that keeps versions."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from football_assets.storage.bucket import Bucket, condition_of
from football_assets.storage.gcs import GcsBucket
from football_assets.storage.gcs_versions import RestoredObject
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.gcs_server import refuse, run_front, run_gcs_server


@pytest.fixture
def bucket(versioned_gcs_url: str) -> GcsBucket:
    opened = open_bucket(versioned_gcs_url)
    assert isinstance(opened, GcsBucket)
    return opened


def now() -> datetime:
    """A time that is after all writes so far and before all later ones."""
    time.sleep(0.01)
    moment = datetime.now(UTC)
    time.sleep(0.01)
    return moment


def content(bucket: Bucket) -> dict[str, bytes]:
    return {item.name: bucket.read(item.name) for item in bucket.list()}


def lost(bucket: GcsBucket) -> tuple[dict[str, bytes], datetime]:
    """Write objects of several histories, then delete them all; returns what was there, and when."""
    for name, versions in {"a/replaced": ["old", "new"], "a/once": ["one"], "gone": ["never again"]}.items():
        for text in versions:
            bucket.write(name, text.encode())
    bucket.delete("gone")
    before, moment = content(bucket), now()
    for item in bucket.list():
        bucket.delete(item.name)
    assert content(bucket) == {}
    return before, moment


def test_all_objects_of_a_lost_bucket_come_back_as_they_were_and_deleted_ones_stay_deleted(
    bucket: GcsBucket,
) -> None:
    before, moment = lost(bucket)

    restored = list(bucket.restore(moment, dry_run=False))

    assert content(bucket) == before == {"a/replaced": b"new", "a/once": b"one"}
    assert [(item.name, item.size, item.changed) for item in restored] == [
        ("a/once", 3, False),
        ("a/replaced", 3, False),
    ]
    assert all(item.written < moment for item in restored)
    assert list(bucket.restore(moment, dry_run=False)) == [], "a second call has nothing to do"


def test_a_dry_run_lists_the_same_and_changes_nothing(bucket: GcsBucket) -> None:
    _, moment = lost(bucket)
    listed = list(bucket.restore(moment, dry_run=True))
    assert content(bucket) == {}
    assert list(bucket.restore(moment, dry_run=False)) == listed


def test_an_overwritten_object_gets_its_version_of_that_time_and_later_objects_stay(
    bucket: GcsBucket,
) -> None:
    bucket.write("pointer", b"first")
    bucket.write("same", b"same")
    moment = now()
    bucket.write("pointer", b"second")
    bucket.write("pointer", b"third")
    bucket.write("later", b"later")
    kept = bucket.stat("same")

    (restored,) = bucket.restore(moment, dry_run=False)

    assert isinstance(restored, RestoredObject)
    assert (restored.name, restored.changed) == ("pointer", True)
    assert content(bucket) == {"pointer": b"first", "same": b"same", "later": b"later"}
    assert bucket.stat("same") == kept
    state = bucket.stat("pointer")
    bucket.write("pointer", b"fourth", if_version=condition_of(state))  # conditions go on


def test_a_time_before_the_first_write_restores_nothing(bucket: GcsBucket) -> None:
    moment = now()
    bucket.write("a", b"a")
    bucket.delete("a")
    assert list(bucket.restore(moment, dry_run=False)) == []


def test_objects_beside_the_prefix_are_not_touched(versioned_gcs_url: str) -> None:
    inside, outside = open_bucket(versioned_gcs_url), open_bucket(versioned_gcs_url + "-other")
    assert isinstance(inside, GcsBucket)
    for one in (inside, outside):
        one.write("x", b"x")
    moment = now()
    for one in (inside, outside):
        one.delete("x")

    assert [item.name for item in inside.restore(moment, dry_run=False)] == ["x"]
    assert content(outside) == {}


def test_an_object_that_is_written_during_the_restoration_keeps_what_was_written(tmp_path: Path) -> None:
    """The server ignores conditions of copies, so the front answers as the service does and the test reads them."""
    with run_gcs_server(tmp_path, in_memory=True) as server, run_front(server) as front:
        bucket = front.open(f"gs://{server.make_bucket(versioned=True)}/part")
        before, moment = lost(bucket)
        bucket.write("a/replaced", b"again")
        state = bucket.stat("a/replaced")
        assert state is not None
        front.requests.clear()
        front.fail("POST", "a%2Fonce", refuse(412, "At least one of the pre-conditions did not hold."))

        restored = list(bucket.restore(moment, dry_run=False))

        assert [item.name for item in restored] == ["a/replaced"]
        assert content(bucket) == {"a/replaced": before["a/replaced"]}
        conditions = [item.query["ifGenerationMatch"] for item in front.requests if item.method == "POST"]
        assert conditions == [["0"], [state.version]]
