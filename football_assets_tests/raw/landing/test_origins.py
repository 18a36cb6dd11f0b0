"""Which object a file becomes, by where it came from."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from football_assets.raw.landing.origins import ORIGINS_OBJECT, Origins, path_digest
from football_assets.storage.bucket import Bucket, ObjectInfo
from football_assets.storage.local import LocalBucket


def name_of(number: int) -> str:
    return f"raw/data-{number}" if number > 1 else "raw/data"


def choose(bucket: Bucket, *files: tuple[bytes, str], may_replace: bool = False) -> list[str]:
    """Land the files, each with its origin."""
    origins = Origins(bucket, {info.name: info for info in bucket.list("raw/")})
    names = [origins.choose(name_of, data, origin, lambda _: may_replace) for data, origin in files]
    for name, (data, _) in zip(names, files, strict=True):
        bucket.write(name, data)
    origins.save(names)
    return names


def test_a_file_updates_the_object_that_it_was_landed_as(bucket: Bucket) -> None:
    assert choose(bucket, (b"1", "one"), (b"2", "two")) == ["raw/data", "raw/data-2"]
    assert choose(bucket, (b"2 changed", "two")) == ["raw/data-2"]
    assert choose(bucket, (b"2 changed again", "two"), (b"1 changed", "one")) == ["raw/data-2", "raw/data"]


def test_another_file_lands_beside_the_object_unless_it_holds_all_of_it(bucket: Bucket) -> None:
    choose(bucket, (b"1", "one"))
    assert choose(bucket, (b"3", "three")) == ["raw/data-2"]
    assert choose(bucket, (b"4", "four"), may_replace=True) == ["raw/data"]
    assert choose(bucket, (b"1", "one")) == ["raw/data-3"]  # its object is the other's now


def test_a_copy_of_a_landed_file_is_that_object_and_not_its_owner(bucket: Bucket) -> None:
    choose(bucket, (b"1", "one"))
    assert choose(bucket, (b"1", "copy")) == ["raw/data"]
    assert choose(bucket, (b"1 changed", "one")) == ["raw/data"]


def test_two_files_of_one_landing_are_one_object_only_if_they_are_equal(bucket: Bucket) -> None:
    names = choose(bucket, (b"1", "one"), (b"2", "two"), (b"2", "copy"), may_replace=True)
    assert names == ["raw/data", "raw/data-2", "raw/data-2"]


def test_an_object_that_was_deleted_is_free_for_its_file_and_for_others(bucket: Bucket) -> None:
    choose(bucket, (b"1", "one"), (b"2", "two"))
    bucket.delete("raw/data")
    assert choose(bucket, (b"2 changed", "two")) == ["raw/data-2"]
    assert choose(bucket, (b"3", "three")) == ["raw/data"]


def test_an_object_of_unknown_origin_is_replaced_only_by_what_holds_all_of_it(bucket: Bucket) -> None:
    bucket.write("raw/data", b"synced")
    assert choose(bucket, (b"1", "one")) == ["raw/data-2"]
    bucket.delete("raw/data-2")
    bucket.delete(ORIGINS_OBJECT)
    assert choose(bucket, (b"1", "one"), may_replace=True) == ["raw/data"]


@pytest.mark.parametrize(
    "record", [b"{", b"5", b'["ab"]', b'{"raw/data": 5}', b'{"raw/data": {"path": "two", "content": 5}}']
)
def test_a_spoilt_record_loses_no_object(bucket: Bucket, record: bytes) -> None:
    choose(bucket, (b"1", "one"))
    bucket.write(ORIGINS_OBJECT, record)
    assert choose(bucket, (b"2", "two")) == ["raw/data-2"]


def test_a_file_that_holds_all_of_what_replaced_it_is_the_object_again(bucket: Bucket) -> None:
    choose(bucket, (b"1", "one"))
    bucket.write("raw/data", b"synced")
    assert choose(bucket, (b"1 and synced", "one"), may_replace=True) == ["raw/data"]
    assert choose(bucket, (b"1 changed", "one")) == ["raw/data"]


def test_an_object_that_was_replaced_since_is_not_the_files_any_more(bucket: Bucket) -> None:
    choose(bucket, (b"1", "one"))
    bucket.write("raw/data", b"synced")
    assert choose(bucket, (b"1", "one")) == ["raw/data-2"]
    assert choose(bucket, (b"1 changed", "one")) == ["raw/data-2"]
    assert bucket.read("raw/data") == b"synced"


def test_a_record_of_paths_alone_learns_the_contents(bucket: Bucket) -> None:
    old = b'{"raw/data": "one"}'
    choose(bucket, (b"1", "one"))
    bucket.write(ORIGINS_OBJECT, old)
    assert choose(bucket, (b"1 changed", "one")) == ["raw/data-2"]
    bucket.delete("raw/data-2")
    bucket.write(ORIGINS_OBJECT, old)
    assert choose(bucket, (b"1", "one")) == ["raw/data"]
    assert choose(bucket, (b"1 changed", "one")) == ["raw/data"]


def test_what_was_chosen_and_not_written_is_not_on_record(bucket: Bucket) -> None:
    choose(bucket, (b"1", "one"))
    origins = Origins(bucket, {info.name: info for info in bucket.list("raw/")})
    assert origins.choose(name_of, b"broken", "one", lambda _: False) == "raw/data"
    origins.save([])
    assert choose(bucket, (b"1 changed", "one")) == ["raw/data"]


@pytest.mark.parametrize("name", ["raw/data/2014-15/eng.1.csv", "raw/data/2014-15", "raw/data"])
def test_a_file_lands_beside_what_cannot_be_read(bucket: Bucket, name: str) -> None:
    def place(number: int) -> str:
        return f"{name_of(number)}/2014-15/eng.1.csv"

    origins = Origins(bucket, {}, {name})
    assert origins.choose(place, b"1", "one", lambda _: True) == place(2)


def test_an_origin_is_the_files_whole_path_and_does_not_show_it(tmp_path: Path) -> None:
    one, two = path_digest(tmp_path / "one" / "E0.csv"), path_digest(tmp_path / "two" / "E0.csv")
    assert one != two
    assert one == path_digest(tmp_path / "two" / ".." / "one" / "E0.csv")
    assert "E0" not in one


def test_a_path_that_is_not_utf8_has_an_origin(tmp_path: Path) -> None:
    names = [Path(os.fsdecode(os.fsencode(tmp_path) + name)) for name in (b"/K\xf6ln", b"/K\xf8ln")]
    assert len({path_digest(path) for path in names}) == 2


class CountingBucket(LocalBucket):
    """A bucket that counts how often the record is written."""

    records = 0

    def write(self, name: str, data: bytes, *, if_version: Any = None) -> ObjectInfo:
        self.records += name == ORIGINS_OBJECT
        return super().write(name, data, if_version=if_version)


def test_the_record_is_written_only_where_an_object_has_another_origin_or_content(tmp_path: Path) -> None:
    bucket = CountingBucket(tmp_path / "counted")
    choose(bucket, (b"1", "one"), (b"2", "two"))
    choose(bucket, (b"1", "one"), (b"2", "two"))
    assert bucket.records == 1
    choose(bucket, (b"1 changed", "one"), (b"2", "two"))
    assert bucket.records == 2
    choose(bucket, (b"3", "three"), may_replace=True)
    assert bucket.records == 3


class ContestedBucket(LocalBucket):
    """A bucket in which someone else writes the record just before we do, once."""

    other: bytes | None = b'{"raw/other": "x"}'

    def write(self, name: str, data: bytes, *, if_version: Any = None) -> ObjectInfo:
        if name == ORIGINS_OBJECT and self.other is not None:
            other, self.other = self.other, None
            super().write(name, other)
        return super().write(name, data, if_version=if_version)


def test_two_landings_at_once_keep_each_others_record(tmp_path: Path) -> None:
    bucket = ContestedBucket(tmp_path / "contested")
    choose(bucket, (b"1", "one"))
    record = json.loads(bucket.read(ORIGINS_OBJECT))
    assert {name: entry["path"] for name, entry in record.items()} == {"raw/data": "one", "raw/other": "x"}
