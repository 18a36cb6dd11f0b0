"""A removal is of an object as it was listed."""

from pathlib import Path

from football_assets.retention.removal import object_removal, total_bytes
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.retention_worlds import write_aged


def test_an_object_goes_once_and_only_as_it_was_listed(tmp_path: Path) -> None:
    bucket = LocalBucket(tmp_path)
    write_aged(bucket, "a", b"12345", 3)
    (item,) = bucket.list()
    removal = object_removal(bucket, item, "objects", "old")
    assert (removal.name, removal.bytes, removal.written, removal.why) == ("a", 5, item.updated, "old")
    assert total_bytes([item, item]) == 10

    bucket.write("a", b"12345")
    assert not removal.remove()
    (item,) = bucket.list()
    removal = object_removal(bucket, item, "objects", "old")
    assert removal.remove()
    assert not removal.remove()
