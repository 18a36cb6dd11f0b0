"""A folder as a bucket: versions follow the content, and what is no object is reported.

What both kinds of bucket share is in `test_bucket.py`.
"""

import hashlib
import os
from pathlib import Path

import pytest

from football_assets.errors import BucketError, ObjectNotFound, UnreadableObject
from football_assets.storage.bucket import ABSENT, Bucket, UnusableFile
from football_assets.storage.opening import open_bucket


@pytest.fixture
def folder(tmp_path: Path) -> Bucket:
    return open_bucket(str(tmp_path / "bucket"))


def names(bucket: Bucket, prefix: str = "") -> list[str]:
    return [item.name for item in bucket.list(prefix)]


def test_the_version_of_a_folders_object_follows_its_content_and_nothing_else(folder: Bucket) -> None:
    first = folder.write("a", b"one")
    second = folder.write("a", b"two")

    assert first.version != second.version
    assert folder.write("a", b"one").version == first.version
    assert folder.write("b", b"one").version == first.version


def test_a_file_changed_in_place_has_a_new_version_even_with_its_old_size_and_time(folder: Bucket) -> None:
    before = folder.write("a", b"1-0")
    path = folder.local_path("a")
    assert path is not None
    old = before.updated.timestamp() - 3600
    os.utime(path, (old, old))
    assert folder.stat("a").version == before.version  # type: ignore[union-attr]

    path.write_bytes(b"0-1")
    os.utime(path, (old, old))

    assert folder.stat("a").version != before.version  # type: ignore[union-attr]


def test_files_changed_in_quick_succession_never_share_a_version(folder: Bucket) -> None:
    for number in range(100):
        data = f"{number:04}".encode()
        expected = hashlib.blake2b(data, digest_size=12).hexdigest()
        assert folder.write("a", data).version == expected
        path = folder.local_path("b")
        assert path is not None
        path.write_bytes(data)
        assert folder.stat("b").version == expected  # type: ignore[union-attr]


def test_what_is_no_object_is_reported_beside_the_objects_of_a_listing(
    folder: Bucket, tmp_path: Path
) -> None:
    folder.write("raw/x/eng.1.csv", b"1")
    raw = folder.local_path("raw/x")
    assert raw is not None
    Path(os.fsdecode(os.fsencode(raw) + b"/K\xf6ln.csv")).write_bytes(b"1")
    os.mkfifo(raw / "pipe.csv")
    (raw / "dangling.csv").symlink_to("nowhere")
    (raw / "loop.csv").symlink_to("loop.csv")
    (raw / "linked").symlink_to(tmp_path)
    (raw / "link.csv").symlink_to("eng.1.csv")
    found: list[UnusableFile] = []

    listed = list(folder.list("raw/", on_unusable=found.append))

    assert [item.name for item in listed] == ["raw/x/eng.1.csv", "raw/x/link.csv"]
    assert listed[0].version == listed[1].version
    assert {file.name: file.reason for file in found} == {
        r"raw/x/K\xf6ln.csv": "The name is not UTF-8.",
        "raw/x/dangling.csv": "It is neither a regular file nor a link to one.",
        "raw/x/linked": "It is a link to a folder, which is not followed.",
        "raw/x/loop.csv": "The file cannot be opened: Too many levels of symbolic links.",
        "raw/x/pipe.csv": "It is neither a regular file nor a link to one.",
    }
    assert [file.name for file in found if file.is_folder] == ["raw/x/linked"]


def test_a_file_that_cannot_be_read_is_an_error_where_nobody_takes_the_report(folder: Bucket) -> None:
    folder.write("tables/a.parquet", b"1")
    path = folder.local_path("tables/b.parquet")
    assert path is not None
    path.symlink_to(path)

    with pytest.raises(UnreadableObject, match="'tables/b.parquet' .* Too many levels of symbolic links"):
        list(folder.list("tables/"))
    with pytest.raises(UnreadableObject, match="Too many levels of symbolic links"):
        folder.read("tables/b.parquet")
    with pytest.raises(BucketError, match="could not write .*: File exists"):
        folder.write("tables/b.parquet/c", b"1")


def test_a_pipe_is_no_object_and_nobody_waits_for_its_writer(folder: Bucket, tmp_path: Path) -> None:
    path = folder.local_path("pipe")
    assert path is not None
    os.mkfifo(path)

    assert folder.stat("pipe") is None
    for read in (lambda: folder.read("pipe"), lambda: folder.download("pipe", tmp_path / "copy")):
        with pytest.raises(ObjectNotFound):
            read()
    assert folder.write("pipe", b"1", if_version=ABSENT).size == 1
    assert folder.read("pipe") == b"1"


def test_a_bucket_whose_folder_leads_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(BucketError, match="Bucket folder .*loop cannot be created"):
        open_bucket(str(tmp_path / "loop"))


def test_a_bucket_at_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(BucketError, match="cannot be created"):
        open_bucket(str(tmp_path / "file"))
