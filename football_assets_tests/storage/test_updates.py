"""Compare-and-swap updates of one object: concurrent writers lose nothing, conflicts are bounded and reported."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from football_assets.errors import PreconditionFailed, UpdateConflict
from football_assets.storage.bucket import ABSENT, Bucket, ObjectInfo
from football_assets.storage.opening import open_bucket
from football_assets.storage.updates import UPDATE_ATTEMPTS, update, update_file

NAME = "records/shared.json"
WRITERS = 8


@pytest.fixture
def bucket(bucket_url: str) -> Bucket:
    return open_bucket(bucket_url)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between attempts, which take no time."""
    made: list[float] = []
    monkeypatch.setattr("time.sleep", made.append)
    return made


def adding(entry: str) -> Callable[[bytes | None], bytes]:
    return lambda data: json.dumps([*json.loads(data or b"[]"), entry]).encode()


def test_the_first_update_creates_the_object_and_the_next_changes_it(bucket: Bucket) -> None:
    first = update(bucket, NAME, adding("a"))
    second = update(bucket, NAME, adding("b"))

    assert json.loads(bucket.read(NAME)) == ["a", "b"]
    assert second == bucket.stat(NAME) != first


def test_no_change_writes_nothing_and_returns_the_state(bucket: Bucket) -> None:
    assert update(bucket, NAME, lambda data: None) is None
    assert bucket.stat(NAME) is None

    written = bucket.write(NAME, b"as it was")
    assert update(bucket, NAME, lambda data: None) == written
    assert bucket.stat(NAME) == written


def test_many_writers_at_a_time_lose_no_update(bucket: Bucket, bucket_url: str) -> None:
    def write(writer: int) -> None:
        own = open_bucket(bucket_url)
        for number in range(5):
            update(own, NAME, adding(f"{writer}-{number}"))

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(write, range(WRITERS)))

    entries = json.loads(bucket.read(NAME))
    assert sorted(entries) == sorted(f"{writer}-{number}" for writer in range(WRITERS) for number in range(5))
    for writer in range(WRITERS):  # one writer's updates keep their order
        own = [entry for entry in entries if entry.startswith(f"{writer}-")]
        assert own == sorted(own)


@settings(max_examples=30, deadline=None)
@given(shares=st.lists(st.lists(st.integers(-100, 100), max_size=4), min_size=2, max_size=6))
def test_concurrent_sums_are_the_sum_of_all_terms(
    tmp_path_factory: pytest.TempPathFactory, shares: list[list[int]]
) -> None:
    folder = str(tmp_path_factory.mktemp("sums") / "bucket")

    def write(terms: list[int]) -> None:
        own = open_bucket(folder)
        for term in terms:

            def add(data: bytes | None, term: int = term) -> bytes:
                return str(int(data or b"0") + term).encode()

            update(own, NAME, add)

    with ThreadPoolExecutor(len(shares)) as threads:
        list(threads.map(write, shares))
    expected = [str(sum(map(sum, shares))).encode()] if any(shares) else []
    assert [open_bucket(folder).read(item.name) for item in open_bucket(folder).list()] == expected


def test_a_conflict_starts_again_from_the_content_of_the_other_writer(
    bucket: Bucket, waits: list[float]
) -> None:
    bucket.write(NAME, b'["old"]')
    seen: list[bytes | None] = []

    def change(data: bytes | None) -> bytes:
        seen.append(data)
        if len(seen) == 1:
            bucket.write(NAME, b'["other"]')
        return adding("mine")(data)

    update(bucket, NAME, change)

    assert seen == [b'["old"]', b'["other"]']
    assert json.loads(bucket.read(NAME)) == ["other", "mine"]
    assert len(waits) == 1


def test_an_object_created_or_deleted_meanwhile_is_a_conflict(bucket: Bucket, waits: list[float]) -> None:
    seen: list[bytes | None] = []

    def change(data: bytes | None) -> bytes:
        seen.append(data)
        if len(seen) == 1:
            bucket.write(NAME, b"[]", if_version=ABSENT)
        elif len(seen) == 2:
            bucket.delete(NAME)
        return b"mine"

    update(bucket, NAME, change)

    assert seen == [None, b"[]", None]
    assert bucket.read(NAME) == b"mine"


def test_an_object_deleted_between_the_two_reads_is_a_conflict(
    tmp_path: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = open_bucket(str(tmp_path / "bucket"))
    bucket.write(NAME, b"[]")
    states = [bucket.stat(NAME)]
    bucket.delete(NAME)
    stat = bucket.stat

    def outdated(name: str) -> ObjectInfo | None:
        return states.pop() if states else stat(name)

    monkeypatch.setattr(bucket, "stat", outdated)
    update(bucket, NAME, adding("mine"))

    assert json.loads(bucket.read(NAME)) == ["mine"]


@pytest.mark.parametrize("attempts", [1, 7, UPDATE_ATTEMPTS])
def test_conflicts_without_end_are_reported_after_the_bound(
    bucket: Bucket, waits: list[float], attempts: int
) -> None:
    others = 0

    def change(data: bytes | None) -> bytes:
        nonlocal others
        others += 1
        bucket.write(NAME, str(others).encode())
        return b"mine"

    with pytest.raises(UpdateConflict, match=rf"^{NAME} in .* could not be updated: .* {attempts} attempts"):
        update(bucket, NAME, change, attempts=attempts)

    assert others == attempts
    assert bucket.read(NAME) == str(attempts).encode()
    assert len(waits) == attempts - 1


def test_waits_are_random_and_their_bound_doubles_up_to_half_a_second(
    bucket: Bucket, waits: list[float]
) -> None:
    def change(data: bytes | None) -> bytes:
        bucket.write(NAME, (data or b"") + b"x")
        return b"mine"

    with pytest.raises(UpdateConflict):
        update(bucket, NAME, change)

    assert all(wait <= min(0.01 * 2**attempt, 0.5) for attempt, wait in enumerate(waits))
    assert max(waits) > 0.1
    assert len(set(waits)) == len(waits)


def test_an_error_of_the_change_ends_the_update(bucket: Bucket, waits: list[float]) -> None:
    written = bucket.write(NAME, b"[]")

    def change(data: bytes | None) -> bytes:
        raise PreconditionFailed("this change has a condition of its own")

    with pytest.raises(PreconditionFailed, match="of its own") as raised:
        update(bucket, NAME, change)

    assert not isinstance(raised.value, UpdateConflict)
    assert bucket.stat(NAME) == written
    assert waits == []


def test_many_writers_of_a_file_at_a_time_lose_no_update(
    bucket: Bucket, bucket_url: str, tmp_path: Path
) -> None:
    def write(writer: int) -> None:
        own = open_bucket(bucket_url)
        for number in range(3):
            numbers = count()

            def change(current: BinaryIO | None, entry: str = f"{writer}-{number}") -> Path:
                path = tmp_path / f"{entry}-{next(numbers)}"  # noqa: B023
                path.write_bytes((current.read() if current else b"") + f"{entry} ".encode())
                return path

            update_file(own, NAME, change)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))

    assert sorted(bucket.read(NAME).decode().split()) == sorted(
        f"{w}-{n}" for w in range(4) for n in range(3)
    )


def test_a_file_that_is_not_to_change_is_left_as_it_is(bucket: Bucket, tmp_path: Path) -> None:
    assert update_file(bucket, NAME, lambda current: None) is None
    written = bucket.write(NAME, b"as it was")

    assert update_file(bucket, NAME, lambda current: None) == written


def test_a_file_that_others_change_all_the_time_is_an_error(
    bucket: Bucket, tmp_path: Path, waits: list[float]
) -> None:
    path = tmp_path / "new"
    path.write_bytes(b"mine")

    def change(current: BinaryIO | None) -> Path:
        bucket.write(NAME, f"theirs {len(waits)}".encode())
        return path

    with pytest.raises(UpdateConflict, match="all 3 attempts"):
        update_file(bucket, NAME, change, attempts=3)
    assert bucket.read(NAME) == b"theirs 2"
