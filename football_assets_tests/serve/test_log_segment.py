"""Segments of writers that died are claimed once, whole lines only."""

import gzip
from collections.abc import Callable
from pathlib import Path

import portalocker
import pytest

from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.log_writers import (
    DAY,
    Clock,
    files,
    ids,
    leave_dead_segment,
    lines,
    logged,
    record,
)
from serve.prediction_log import SEGMENTS, PredictionLog


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (lines(1, 2), [1, 2]),
        (lines(1, 2) + lines(3)[:-1], [1, 2]),  # a whole object, but its end was not written
        (lines(1, 2) + lines(3)[:40], [1, 2]),
        (lines(1)[:40], None),
        (b"", None),
    ],
)
def test_a_dead_writers_segment_is_uploaded_without_its_torn_line(
    bucket: LocalBucket, spool: Path, left: bytes, expected: list[int] | None
) -> None:
    leave_dead_segment(spool, "dead-000007", left)

    log = PredictionLog(bucket, spool)

    name = f"{SEGMENTS}/{DAY}/dead-000007.jsonl.gz"
    assert logged(bucket) == ({} if expected is None else {name: expected})
    if expected is not None:
        assert gzip.decompress(bucket.read(name)) == lines(*expected)
    assert files(spool) == []
    assert log.error is None


def test_a_running_writer_looks_for_dead_ones_as_often_as_it_rotates(
    bucket: LocalBucket, spool: Path
) -> None:
    clock = Clock()
    log = PredictionLog(bucket, spool, max_age_seconds=60, clock=clock)
    leave_dead_segment(spool, "dead-000000", lines(1))
    log.rotate_if_due()
    assert ids(bucket) == []

    clock.seconds += 60
    log.rotate_if_due()

    assert ids(bucket) == [1]


def test_a_file_that_is_no_segment_stays_in_the_spool_and_stops_no_other(
    bucket: LocalBucket, spool: Path
) -> None:
    leave_dead_segment(spool, "a", b"\0\0\0\0\n" + lines(1))
    leave_dead_segment(spool, "b", lines(2))

    log = PredictionLog(bucket, spool)

    assert ids(bucket) == [2]
    assert files(spool) == ["a.jsonl"]
    assert f"{spool}/a.jsonl" in str(log.error)


def interrupt_the_next_lock(monkeypatch: pytest.MonkeyPatch, interruption: Callable[[], object]) -> None:
    """Let another writer do something between the opening of a file and its lock."""
    lock = portalocker.lock

    def interrupted(file: int, flags: portalocker.LockFlags) -> None:
        monkeypatch.setattr(portalocker, "lock", lock)
        interruption()
        lock(file, flags)

    monkeypatch.setattr(portalocker, "lock", interrupted)


def test_a_dead_writers_segment_that_another_removed_just_now_is_not_uploaded_again(
    bucket: LocalBucket, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = PredictionLog(bucket, spool), PredictionLog(bucket, spool)
    leave_dead_segment(spool, "dead-000000", lines(1))
    interrupt_the_next_lock(monkeypatch, second.recover)

    assert first.recover() == []
    assert ids(bucket) == [1]
    assert first.error is None


def test_a_new_segment_that_another_took_for_a_dead_one_is_replaced_by_the_next(
    bucket: LocalBucket, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = PredictionLog(bucket, spool), PredictionLog(bucket, spool)
    interrupt_the_next_lock(monkeypatch, second.recover)

    first.append([record(1)])

    assert files(spool) == [f"{first.writer}-000001.jsonl"]
    first.close()
    assert ids(bucket) == [1]
