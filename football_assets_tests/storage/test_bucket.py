"""Both kinds of bucket: versions name contents, writes are whole, conditions hold between processes, names stay inside.

What is particular to a folder is in `test_local.py`, to Google Cloud Storage in `test_gcs.py`.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from football_assets.errors import BucketError, ObjectNotFound, PreconditionFailed
from football_assets.storage.bucket import ABSENT, Bucket, ObjectInfo
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.bucket_clients import alternate, claim, increment
from football_assets_tests.builders.gcs_server import GcsServer

SPAWN = get_context("spawn")
PROCESSES = 3


@pytest.fixture
def bucket(bucket_url: str) -> Bucket:
    return open_bucket(bucket_url)


@pytest.fixture
def folder(tmp_path: Path) -> Bucket:
    return open_bucket(str(tmp_path / "bucket"))


@pytest.fixture(scope="module")
def processes(gcs_server: GcsServer) -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(PROCESSES, mp_context=SPAWN) as pool:
        yield pool


def names(bucket: Bucket, prefix: str = "") -> list[str]:
    return [item.name for item in bucket.list(prefix)]


def test_what_is_written_is_read_back_with_its_size_and_time(bucket: Bucket) -> None:
    info = bucket.write("raw/a.csv", b"hello")

    assert bucket.read("raw/a.csv") == b"hello"
    assert (info.name, info.size) == ("raw/a.csv", 5)
    assert abs(info.updated - datetime.now(UTC)) < timedelta(minutes=1)
    assert bucket.stat("raw/a.csv") == info


def test_contents_written_in_quick_succession_never_share_a_version(bucket: Bucket) -> None:
    versions = {bucket.write("a", f"{number:04}".encode()).version for number in range(100)}

    assert len(versions) == 100


def test_a_listing_tells_what_stat_tells(bucket: Bucket) -> None:
    for name in ("b", "a/x.csv", "a/ü.json"):
        bucket.write(name, name.encode())

    assert list(bucket.list()) == [bucket.stat(name) for name in ("a/x.csv", "a/ü.json", "b")]


def test_a_listing_is_in_order_of_names_and_its_prefix_need_not_be_a_folder(bucket: Bucket) -> None:
    for name in ("raw/b.csv", "raw/a/z.csv", "raw-old/x", "tables/t", "raw/a.csv"):
        bucket.write(name, b"")

    assert names(bucket) == ["raw-old/x", "raw/a.csv", "raw/a/z.csv", "raw/b.csv", "tables/t"]
    assert names(bucket, "raw") == ["raw-old/x", "raw/a.csv", "raw/a/z.csv", "raw/b.csv"]
    assert names(bucket, "raw/") == ["raw/a.csv", "raw/a/z.csv", "raw/b.csv"]
    assert names(bucket, "raw/a") == ["raw/a.csv", "raw/a/z.csv"]
    assert names(bucket, "nothing/here/") == []


def test_the_buckets_own_files_are_no_objects(bucket: Bucket) -> None:
    bucket.write("a", b"1", if_version=ABSENT)

    assert names(bucket) == ["a"]


def test_what_is_not_there_has_no_state_and_cannot_be_read(bucket: Bucket, tmp_path: Path) -> None:
    bucket.write("folder/a", b"")

    for name in ("b", "folder", "folder/a/b"):
        assert bucket.stat(name) is None
        with pytest.raises(ObjectNotFound, match=f"no object '{name}'"):
            bucket.read(name)
        with pytest.raises(ObjectNotFound, match=f"no object '{name}'"):
            bucket.download(name, tmp_path / "target")
    bucket.delete("b")


def test_a_name_of_other_bytes_or_too_long_a_name_is_refused(bucket: Bucket) -> None:
    for name in ("K\udcf6ln.csv", "\ud800"):
        with pytest.raises(BucketError, match="in UTF-8"):
            bucket.write(name, b"1")
    with pytest.raises(BucketError):
        bucket.write("a" * 2000, b"1")


def test_errors_about_files_of_this_machine_are_errors_of_the_bucket(bucket: Bucket) -> None:
    bucket.write("a", b"1")

    with pytest.raises(BucketError, match="could not copy 'a' to /dev/null/copy: File exists"):
        bucket.download("a", Path("/dev/null/copy"))
    with pytest.raises(BucketError, match="could not write 'b'.*: No such file or directory"):
        bucket.upload(Path("/nowhere/at/all"), "b")
    assert names(bucket) == ["a"]


def test_a_create_only_write_leaves_an_existing_object_alone(bucket: Bucket) -> None:
    bucket.write("a", b"mine", if_version=ABSENT)

    with pytest.raises(PreconditionFailed, match="already exists"):
        bucket.write("a", b"yours", if_version=ABSENT)
    assert bucket.read("a") == b"mine"


def test_a_write_over_a_version_that_is_gone_changes_nothing(bucket: Bucket) -> None:
    first = bucket.write("a", b"1")
    second = bucket.write("a", b"2", if_version=first.version)

    with pytest.raises(PreconditionFailed, match=f"version {second.version}"):
        bucket.write("a", b"3", if_version=first.version)
    with pytest.raises(PreconditionFailed, match="is missing"):
        bucket.write("b", b"3", if_version=first.version)
    assert bucket.read("a") == b"2"
    assert names(bucket) == ["a"]


@pytest.mark.parametrize("kind", ["folder", "gcs"])
def test_a_conditional_deletion_spares_a_newer_version(kind: str, request: pytest.FixtureRequest) -> None:
    if kind == "folder":
        bucket: Bucket = request.getfixturevalue("folder")
    else:
        bucket = request.getfixturevalue("gcs_front").open(request.getfixturevalue("gcs_url"))
    first = bucket.write("a", b"1")
    second = bucket.write("a", b"2")

    with pytest.raises(PreconditionFailed, match=f"is version {second.version} in bucket"):
        bucket.delete("a", if_version=first.version)
    with pytest.raises(PreconditionFailed, match="not version of-another-kind"):
        bucket.delete("a", if_version="of-another-kind")
    assert bucket.read("a") == b"2"
    bucket.delete("a", if_version=second.version)
    assert bucket.stat("a") is None
    with pytest.raises(PreconditionFailed, match="is missing in bucket"):
        bucket.delete("a", if_version=second.version)


def test_no_increment_of_several_processes_is_lost(bucket: Bucket, processes: ProcessPoolExecutor) -> None:
    bucket.write("counter", b"0")

    for done in [processes.submit(increment, bucket.url, 40) for _ in range(PROCESSES)]:
        done.result()

    assert bucket.read("counter") == b"120"


def test_of_processes_that_create_one_object_exactly_one_wins(
    bucket: Bucket, processes: ProcessPoolExecutor
) -> None:
    for number in range(30):
        claims = [
            processes.submit(claim, bucket.url, f"lock-{number}", f"process {i}") for i in range(PROCESSES)
        ]
        winners = [winner for winner in (done.result() for done in claims) if winner]
        assert winners == [bucket.read(f"lock-{number}").decode()]


def test_readers_of_an_object_being_written_see_one_content_even_if_the_writer_is_killed(
    bucket: Bucket,
) -> None:
    bucket.write("big", b"a" * 3_000_000)
    writer = SPAWN.Process(target=alternate, args=(bucket.url,), daemon=True)
    writer.start()
    seen: set[bytes] = set()
    while len(seen) < 2:
        content = bucket.read("big")
        assert len(content) == 3_000_000
        assert content.count(content[:1]) == 3_000_000
        seen.add(content[:1])
    writer.kill()
    writer.join()

    assert bucket.read("big") in (b"a" * 3_000_000, b"b" * 3_000_000)
    assert names(bucket) == ["big"]
    assert bucket.write("big", b"c", if_version=bucket.stat("big").version).size == 1  # type: ignore[union-attr]


def test_an_uploaded_file_outlives_its_source(bucket: Bucket, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"tensor")

    info = bucket.upload(source, "artifacts/x/tensor.npy")
    source.unlink()

    assert bucket.read("artifacts/x/tensor.npy") == b"tensor"
    assert info == bucket.stat("artifacts/x/tensor.npy")


def test_a_file_of_many_chunks_is_uploaded_and_downloaded_whole(bucket: Bucket, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(1 << 16) * 300)  # 19 MiB

    info = bucket.upload(source, "artifacts/x/tensor.npy")
    bucket.download("artifacts/x/tensor.npy", tmp_path / "deep" / "copy")

    assert info.size == source.stat().st_size
    assert (tmp_path / "deep" / "copy").read_bytes() == source.read_bytes()
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "copy"]


def test_downloads_to_one_path_at_once_leave_one_whole_file(bucket: Bucket, tmp_path: Path) -> None:
    bucket.write("a", b"x" * 1_000_000)
    path = tmp_path / "copies" / "a"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: bucket.download("a", path), range(12)))

    assert path.read_bytes() == b"x" * 1_000_000
    assert list(path.parent.iterdir()) == [path]


def test_writing_an_object_leaves_files_linked_to_its_old_content_alone(
    bucket: Bucket, tmp_path: Path
) -> None:
    source, copy = tmp_path / "source", tmp_path / "deep" / "copy"
    source.write_bytes(b"old")
    bucket.upload(source, "a")
    bucket.download("a", copy)

    bucket.write("a", b"new")

    assert source.read_bytes() == copy.read_bytes() == b"old"
    bucket.download("a", copy)
    assert copy.read_bytes() == b"new"


OUTSIDE = [
    "",
    ".",
    "/",
    "/etc/passwd",
    "../secret",
    "a/../../secret",
    "a/..",
    "./a",
    "a//b",
    "a/./b",
    "a/",
    "a\0b",
    ".bucket/lock",
    "a/.bucket/b",
]
OPERATIONS: dict[str, Callable[[Bucket, str, Path], object]] = {
    "read": lambda bucket, name, path: bucket.read(name),
    "write": lambda bucket, name, path: bucket.write(name, b"evil"),
    "stat": lambda bucket, name, path: bucket.stat(name),
    "delete": lambda bucket, name, path: bucket.delete(name),
    "upload": lambda bucket, name, path: bucket.upload(path, name),
    "download": lambda bucket, name, path: bucket.download(name, path),
    "local_path": lambda bucket, name, path: bucket.local_path(name),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_names_that_lead_out_of_the_bucket_or_have_two_spellings_are_refused(
    bucket: Bucket, tmp_path: Path, operation: str
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")

    for name in OUTSIDE:
        with pytest.raises(BucketError, match="is not allowed"):
            OPERATIONS[operation](bucket, name, tmp_path / "secret")

    assert (tmp_path / "secret").read_bytes() == b"secret"


@pytest.mark.parametrize("prefix", ["../", "/etc/", "/", "a/../../", ".bucket/"])
def test_a_listing_does_not_leave_the_bucket(bucket: Bucket, prefix: str) -> None:
    with pytest.raises(BucketError, match="is not allowed"):
        list(bucket.list(prefix))


class BucketAsDictionary(RuleBasedStateMachine):
    """A bucket behaves as a dictionary whose conditional writes compare versions."""

    NAMES = st.sampled_from(["a", "b/c", "b/d", "e/f/g"])
    CONTENTS = st.binary(max_size=3)

    def __init__(self, bucket: Bucket) -> None:
        super().__init__()
        self.bucket = bucket
        self.expected: dict[str, bytes] = {}
        self.versions: dict[str, str] = {}  # of what is there
        self.seen: list[str] = ["1"]  # of all that ever was, and one of nothing

    def note(self, info: ObjectInfo, data: bytes) -> None:
        self.expected[info.name], self.versions[info.name] = data, info.version
        self.seen.append(info.version)

    @rule(name=NAMES, data=CONTENTS)
    def write(self, name: str, data: bytes) -> None:
        self.note(self.bucket.write(name, data), data)

    @rule(name=NAMES, data=CONTENTS)
    def create(self, name: str, data: bytes) -> None:
        try:
            info = self.bucket.write(name, data, if_version=ABSENT)
        except PreconditionFailed:
            assert name in self.expected
        else:
            assert name not in self.expected
            self.note(info, data)

    @rule(name=NAMES, data=CONTENTS, choice=st.integers(min_value=0), is_current=st.booleans())
    def replace(self, name: str, data: bytes, choice: int, is_current: bool) -> None:
        version = self.seen[choice % len(self.seen)]
        if is_current:
            version = self.versions.get(name, version)
        try:
            info = self.bucket.write(name, data, if_version=version)
        except PreconditionFailed:
            assert self.versions.get(name) != version
        else:
            assert self.versions[name] == version
            self.note(info, data)

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        self.bucket.delete(name)
        self.expected.pop(name, None)
        self.versions.pop(name, None)

    @rule()
    def compare(self) -> None:
        found = {item.name: item.version for item in self.bucket.list()}
        assert list(found) == sorted(self.expected)
        assert found == self.versions
        assert {name: self.bucket.read(name) for name in found} == self.expected


def test_a_bucket_behaves_as_a_dictionary(bucket_url: str) -> None:
    numbers = count()

    run_state_machine_as_test(
        lambda: BucketAsDictionary(open_bucket(f"{bucket_url}/{next(numbers)}")),  # type: ignore[arg-type]
        settings=settings(max_examples=20, stateful_step_count=20, deadline=None),
    )


def test_an_opened_object_is_read_at_any_position_and_as_it_was(bucket: Bucket) -> None:
    content = bytes(range(256)) * 5000
    bucket.write("a", content)

    with bucket.open("a") as file:
        assert file.seek(-3, os.SEEK_END) == len(content) - 3
        assert file.read() == content[-3:]
        file.seek(1000)
        assert file.read(10) == content[1000:1010]
        assert file.read() == content[1010:]
    with pytest.raises(ObjectNotFound, match="no object 'b'"):
        bucket.open("b")


def test_what_is_read_of_an_opened_object_is_of_one_version(bucket: Bucket) -> None:
    content = b"a" * (9 << 20)
    bucket.write("a", content)

    with bucket.open("a") as file:
        assert file.read(10) == content[:10]
        bucket.write("a", b"b" * (9 << 20))
        try:
            rest = file.read()
        except ObjectNotFound:  # a remote generation is gone
            rest = b""
    assert b"b" not in rest


def test_an_upload_may_have_a_condition(bucket: Bucket, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"new")

    first = bucket.upload(source, "a", if_version=ABSENT)
    with pytest.raises(PreconditionFailed, match="already exists"):
        bucket.upload(source, "a", if_version=ABSENT)
    second = bucket.write("a", b"second", if_version=first.version)
    with pytest.raises(PreconditionFailed, match=f"version {second.version}"):
        bucket.upload(source, "a", if_version=first.version)
    bucket.upload(source, "a", if_version=second.version)

    assert bucket.read("a") == b"new"


@pytest.mark.parametrize("kind", ["folder", "gcs"])
def test_an_object_that_was_written_since_it_was_listed_is_not_removed(
    kind: str, request: pytest.FixtureRequest
) -> None:
    if kind == "folder":
        bucket: Bucket = request.getfixturevalue("folder")
    else:
        bucket = request.getfixturevalue("gcs_front").open(request.getfixturevalue("gcs_url"))
    listed = bucket.write("a", b"content")
    time.sleep(0.002)
    again = bucket.write("a", b"content")  # in a folder: the same version

    assert not bucket.remove(listed)
    assert bucket.stat("a") == again
    assert bucket.remove(again)
    assert not bucket.remove(again)
    assert bucket.stat("a") is None
