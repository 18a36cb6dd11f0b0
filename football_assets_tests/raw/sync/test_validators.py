"""What is stored of a server's answers, and when it may be used."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from football_assets.errors import PreconditionFailed
from football_assets.raw.sync.fetching import Validators
from football_assets.raw.sync.validators import Landed, LandedFiles, load, save
from football_assets.storage.bucket import Bucket, Condition, ObjectInfo
from football_assets.storage.local import LocalBucket
from football_assets.storage.opening import open_bucket

NAME = "raw/openfootball/2025-26/eng.1.json"
ENTRY = Landed(
    url="http://a/en.1.json", version="7", etag='"x"', last_modified="Mon, 01 Sep 2025 00:00:00 GMT"
)


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return open_bucket(str(tmp_path / "bucket"))


def info(name: str = NAME, version: str = "7") -> ObjectInfo:
    return ObjectInfo(name, version, 1, datetime.now(UTC))


def test_saved_entries_are_loaded_by_source_and_added_to_those_before(bucket: Bucket) -> None:
    save(bucket, "openfootball", {NAME: ENTRY})
    other = Landed(url="http://a/de.1.json", version="8")
    save(bucket, "openfootball", {"raw/openfootball/2025-26/de.1.json": other})
    assert load(bucket, "openfootball").files == {NAME: ENTRY, "raw/openfootball/2025-26/de.1.json": other}
    assert load(bucket, "footballcsv") == LandedFiles()
    newer = Landed(url=ENTRY.url, version="9")
    save(bucket, "openfootball", {NAME: newer})
    assert load(bucket, "openfootball").files[NAME] == newer
    assert [item.name for item in bucket.list("raw_sync/")] == ["raw_sync/openfootball.json"]


def test_equal_entries_are_not_written_again(bucket: Bucket) -> None:
    save(bucket, "openfootball", {NAME: ENTRY})
    before = bucket.stat("raw_sync/openfootball.json")
    save(bucket, "openfootball", {NAME: ENTRY})
    save(bucket, "openfootball", {})
    assert bucket.stat("raw_sync/openfootball.json") == before


@pytest.mark.parametrize("content", [b"", b"{", b'{"files": {"a": {"url": 1}}}'])
def test_a_malformed_object_is_as_if_there_were_none_and_is_replaced(bucket: Bucket, content: bytes) -> None:
    bucket.write("raw_sync/openfootball.json", content)
    assert load(bucket, "openfootball") == LandedFiles()
    save(bucket, "openfootball", {NAME: ENTRY})
    assert load(bucket, "openfootball").files == {NAME: ENTRY}


def test_validators_are_those_of_the_same_url_and_version_only() -> None:
    files = LandedFiles(files={NAME: ENTRY})
    assert files.validators(ENTRY.url, info()) == Validators(ENTRY.etag, ENTRY.last_modified)
    assert files.validators("http://b/en.1.json", info()) is None
    assert files.validators(ENTRY.url, info(version="8")) is None
    assert files.validators(ENTRY.url, info("raw/openfootball/2025-26/de.1.json")) is None
    assert files.validators(ENTRY.url, None) is None


def test_entries_of_a_concurrent_sync_are_kept(tmp_path: Path) -> None:
    class Raced(LocalBucket):
        races = 1

        def write(self, name: str, data: bytes, *, if_version: Condition = None) -> ObjectInfo:
            if self.races:
                self.races -= 1
                save(LocalBucket(self.root), "openfootball", {"raw/other": ENTRY})
            return super().write(name, data, if_version=if_version)

    bucket = Raced(tmp_path)
    save(bucket, "openfootball", {NAME: ENTRY})
    assert load(bucket, "openfootball").files == {"raw/other": ENTRY, NAME: ENTRY}


def test_a_record_that_others_write_all_the_time_is_given_up_without_an_error(tmp_path: Path) -> None:
    class Busy(LocalBucket):
        attempts = 0

        def write(self, name: str, data: bytes, *, if_version: Condition = None) -> ObjectInfo:
            self.attempts += 1
            raise PreconditionFailed(name)

    bucket = Busy(tmp_path)
    save(bucket, "openfootball", {NAME: ENTRY})
    assert (bucket.attempts > 1, load(bucket, "openfootball")) == (True, LandedFiles())
