"""The prediction log: acknowledged records reach the bucket once, whatever writer dies or whatever disk is full."""

import errno
import gzip
import os
import resource
import shutil
import signal
import threading
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from football_assets.storage.bucket import Condition, ObjectInfo
from football_assets.storage.local import LocalBucket
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.gcs_server import Front, lose_answer, refuse
from football_assets_tests.builders.log_writers import (
    DAY,
    SPAWN,
    Clock,
    files,
    ids,
    leave_dead_segment,
    lines,
    logged,
    record,
    start,
)
from serve.prediction_log import SEGMENTS, PredictionLog, PredictionLogError, read_segment

KILLS = 6


def test_records_are_in_the_spool_when_append_returns_and_in_the_bucket_when_the_log_is_closed(
    bucket: LocalBucket, spool: Path
) -> None:
    log = PredictionLog(bucket, spool)

    log.append([record(1), record(2)])
    log.append([record(3)])

    content = b"".join((spool / name).read_bytes() for name in files(spool))
    assert content == lines(1, 2, 3)
    assert log.bytes_written == len(content)
    assert list(bucket.list()) == []

    log.close()

    assert [gzip.decompress(bucket.read(item.name)) for item in bucket.list()] == [content]
    assert files(spool) == []
    assert log.error is None


def test_a_segment_is_named_by_the_day_of_its_first_record_its_writer_and_its_sequence(
    bucket: LocalBucket, spool: Path
) -> None:
    log = PredictionLog(bucket, spool)
    log.append([record(1, day="2015-12-31"), record(2, day="2016-01-01")])
    log.close()

    assert list(logged(bucket)) == [f"{SEGMENTS}/2015-12-31/{log.writer}-000000.jsonl.gz"]


def test_nothing_to_log_makes_no_file(log: PredictionLog, bucket: LocalBucket, spool: Path) -> None:
    log.append([])
    log.rotate_if_due()

    assert files(spool) == []
    log.close()
    assert list(bucket.list()) == []


def test_a_closed_log_refuses_records_and_may_be_closed_again(log: PredictionLog) -> None:
    log.close()
    log.close()

    with pytest.raises(PredictionLogError, match="is closed"):
        log.append([record(1)])


def test_a_spool_that_cannot_be_made_is_an_error_that_names_it(bucket: LocalBucket, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(PredictionLogError, match=f"{tmp_path}/file/spool: Not a directory"):
        PredictionLog(bucket, tmp_path / "file" / "spool")


def test_segments_are_finished_before_they_grow_beyond_their_size(bucket: LocalBucket, spool: Path) -> None:
    length = len(lines(1))
    log = PredictionLog(bucket, spool, max_bytes=3 * length)
    for number in range(1, 6):
        log.append([record(number)])
    log.append([record(number) for number in (6, 7, 8, 9)])  # alone larger than a segment
    log.append([record(1)])
    log.close()

    assert list(logged(bucket).values()) == [[1, 2, 3], [4, 5], [6, 7, 8, 9], [1]]
    assert list(logged(bucket)) == [
        f"{SEGMENTS}/{DAY}/{log.writer}-{sequence:06}.jsonl.gz" for sequence in range(4)
    ]


def test_appending_leaves_the_bucket_to_the_timer(bucket: LocalBucket, spool: Path) -> None:
    log = PredictionLog(bucket, spool, max_bytes=1)
    log.append([record(1)])
    log.append([record(2)])
    assert ids(bucket) == []

    log.rotate_if_due()

    assert ids(bucket) == [1, 2]
    assert files(spool) == []


def test_a_segment_is_uploaded_once_its_first_record_is_old_enough(bucket: LocalBucket, spool: Path) -> None:
    clock = Clock()
    log = PredictionLog(bucket, spool, max_age_seconds=60, clock=clock)
    clock.seconds += 500  # an idle log has nothing to grow old
    log.rotate_if_due()
    log.append([record(1)])
    clock.seconds += 30
    log.append([record(2)])
    clock.seconds += 29.5
    log.rotate_if_due()
    assert ids(bucket) == []

    clock.seconds += 0.5
    log.rotate_if_due()
    assert ids(bucket) == [1, 2]

    log.append([record(3)])
    clock.seconds += 60
    log.append([record(4)])
    log.close()
    assert list(logged(bucket).values()) == [[1, 2], [3], [4]]


def test_writers_that_share_a_spool_never_share_a_file_nor_take_each_others(
    bucket: LocalBucket, spool: Path
) -> None:
    first, second = PredictionLog(bucket, spool), PredictionLog(bucket, spool)
    for number in range(10):
        first.append([record(number)])
        second.append([record(100 + number)])
    assert first.recover() == []
    assert second.recover() == []
    assert len(files(spool)) == 2

    first.close()
    second.close()

    assert sorted(logged(bucket).values()) == [list(range(10)), list(range(100, 110))]


def test_threads_that_append_rotate_and_recover_at_once_lose_and_repeat_nothing(
    bucket: LocalBucket, spool: Path
) -> None:
    logs = [PredictionLog(bucket, spool, max_bytes=300), PredictionLog(bucket, spool, max_bytes=1)]
    done = threading.Event()
    errors: set[str | None] = set()

    def append(log: PredictionLog, start: int) -> None:
        for number in range(start, start + 40, 2):
            log.append([record(number), record(number + 1)])

    def rotate(log: PredictionLog) -> None:
        while not done.is_set():
            log.rotate_if_due()
            log.recover()
            errors.add(log.error)

    appending = [threading.Thread(target=append, args=(logs[place % 2], 40 * place)) for place in range(6)]
    rotating = [threading.Thread(target=rotate, args=(log,)) for log in logs * 2]
    for thread in appending + rotating:
        thread.start()
    for thread in appending:
        thread.join()
    done.set()
    for thread in rotating:
        thread.join()
    for log in logs:
        log.close()

    assert errors == {None}
    assert ids(bucket) == list(range(240))
    assert files(spool) == []


def test_what_the_bucket_refuses_waits_in_the_spool_and_is_uploaded_later(
    bucket: LocalBucket, spool: Path
) -> None:
    away = bucket.root.with_name("away")
    log = PredictionLog(bucket, spool, max_bytes=1)
    bucket.root.rename(away)
    bucket.root.touch()

    for number in range(3):
        log.append([record(number)])
        log.rotate_if_due()
    assert len(files(spool)) == 3
    assert str(bucket.root) in str(log.error)

    bucket.root.unlink()
    away.rename(bucket.root)
    log.append([record(3)])
    log.rotate_if_due()

    assert log.error is None
    assert ids(bucket) == [0, 1, 2, 3]
    assert files(spool) == []


def test_a_spool_deleted_under_its_writer_loses_nothing_even_while_the_bucket_is_away(
    bucket: LocalBucket, spool: Path
) -> None:
    away = bucket.root.with_name("away")
    log = PredictionLog(bucket, spool, max_bytes=2 * len(lines(1)))
    log.append([record(1)])
    shutil.rmtree(spool)
    log.append([record(2)])
    bucket.root.rename(away)
    bucket.root.touch()
    log.rotate_if_due()
    assert str(bucket.root) in str(log.error)
    log.append([record(3)])

    bucket.root.unlink()
    away.rename(bucket.root)
    log.close()

    assert list(logged(bucket).values()) == [[1, 2], [3]]
    assert log.error is None


def fill_disk(root: str, spool: Path, answers: Connection) -> None:
    """Append under a limit on the size of files, as on a full disk, and tell what came of it."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    log = PredictionLog(open_bucket(root), spool)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
    acknowledged, refused = [], []
    for number in range(20):
        try:
            log.append([record(number, size=900)])
            acknowledged.append(number)
        except PredictionLogError as error:
            refused.append((str(error), log.error))
    try:
        log.append([record(number, size=10) for number in range(100, 164)])
    except PredictionLogError as error:
        refused.append((str(error), log.error))
    (segment,) = spool.iterdir()
    content = segment.read_bytes()
    log.append([record(200, size=10)])  # there is room for a short one
    answers.send((acknowledged, refused, content, log.error, log.bytes_written))
    log.close()


def test_a_full_disk_refuses_batches_whole_and_keeps_what_was_acknowledged(
    bucket: LocalBucket, spool: Path
) -> None:
    child, receiver = start(fill_disk, str(bucket.root), spool)
    acknowledged, refused, content, error_afterwards, written = receiver.recv()
    child.join()

    assert child.exitcode == 0
    assert acknowledged == list(range(len(acknowledged)))
    assert 5 < len(acknowledged) < 10
    assert len(refused) == 20 - len(acknowledged) + 1
    for message, error in refused:
        assert f"Predictions cannot be logged in {spool}/" in message
        assert "File too large. Make room there" in message
        assert error == message
    assert [entry["request_id"] for entry in read_segment(content)] == acknowledged
    assert content.endswith(b"\n")
    assert error_afterwards is None
    assert ids(bucket) == [*acknowledged, 200]
    assert written == sum(len(gzip.decompress(bucket.read(item.name))) for item in bucket.list())


def fail_to_write(*_arguments: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_what_the_disk_did_not_confirm_is_cut_from_the_segment(
    log: PredictionLog, bucket: LocalBucket, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as disk:
        disk.setattr(os, "fdatasync", fail_to_write)
        with pytest.raises(PredictionLogError, match="Input/output error"):
            log.append([record(1)])
    assert files(spool) == []

    log.append([record(2)])
    with monkeypatch.context() as disk:
        disk.setattr(os, "fdatasync", fail_to_write)
        with pytest.raises(PredictionLogError, match="Input/output error"):
            log.append([record(3)])
    log.append([record(4)])
    log.close()

    assert list(logged(bucket).values()) == [[2, 4]]


def test_a_segment_that_cannot_be_cut_takes_no_more_records_and_is_cut_before_its_upload(
    log: PredictionLog, bucket: LocalBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append([record(1)])
    with monkeypatch.context() as disk:
        disk.setattr(os, "fdatasync", fail_to_write)
        disk.setattr(os, "ftruncate", fail_to_write)
        with pytest.raises(PredictionLogError, match="Input/output error"):
            log.append([record(2)])
    log.append([record(3)])
    log.close()

    assert list(logged(bucket).values()) == [[1], [3]]


def append_until_killed(root: str, spool: Path, first: int, acknowledgements: Connection) -> None:
    """Append batches of one to 64 records, rotating all the while, and tell each number once it is durable."""
    log = PredictionLog(open_bucket(root), spool, max_bytes=100_000)
    number = first
    while True:
        batch = list(range(number, number + 1 + (number * 7) % 64))
        log.append([record(item, size=1000) for item in batch])
        acknowledgements.send(batch[-1])
        log.rotate_if_due()
        number = batch[-1] + 1


def test_a_writer_killed_while_writing_has_every_acknowledged_record_in_the_bucket(
    bucket: LocalBucket, spool: Path
) -> None:
    ranges = []
    for kill in range(KILLS):
        first = kill * 1_000_000
        child, receiver = start(append_until_killed, str(bucket.root), spool, first)
        for _ in range(1 + 9 * kill):
            last = receiver.recv()
        os.kill(child.pid, signal.SIGKILL)  # type: ignore[arg-type]
        try:
            while True:
                last = receiver.recv()
        except (EOFError, OSError):
            child.join()
        ranges.append((first, last))
        if kill % 2:  # else the next child, or the last look, recovers it
            PredictionLog(bucket, spool).close()
    log = PredictionLog(bucket, spool)

    assert log.error is None
    assert files(spool) == []
    found = ids(bucket)
    assert len(found) == len(set(found))
    for first, last in ranges:
        mine = [number for number in found if first <= number < first + 1_000_000]
        assert mine == list(range(first, first + len(mine)))
        assert mine[-1] >= last


class KilledAfterUpload(LocalBucket):
    """A bucket whose client is killed as soon as an object is there."""

    def write(self, name: str, data: bytes, *, if_version: Condition = None) -> ObjectInfo:
        super().write(name, data, if_version=if_version)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("outlived SIGKILL")


def close_and_die(root: Path, spool: Path) -> None:
    log = PredictionLog(KilledAfterUpload(root), spool)
    log.append([record(1), record(2)])
    log.close()


def test_a_writer_killed_between_upload_and_removal_leaves_one_object(
    bucket: LocalBucket, spool: Path
) -> None:
    child = SPAWN.Process(target=close_and_die, args=(bucket.root, spool))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    before = list(bucket.list())
    assert len(before) == len(files(spool)) == 1

    PredictionLog(bucket, spool)

    assert files(spool) == []
    assert [(item.name, item.version) for item in bucket.list()] == [
        (item.name, item.version) for item in before
    ]
    assert ids(bucket) == [1, 2]


def recover_together(root: str, spool: Path, together: Barrier, answers: Connection) -> None:
    log = PredictionLog(open_bucket(root), spool)
    together.wait()  # all have listed the empty spool
    together.wait()  # the dead writers' segments are there
    answers.send((log.recover(), log.error))


def test_writers_that_recover_at_once_upload_each_segment_once(bucket: LocalBucket, spool: Path) -> None:
    together = SPAWN.Barrier(4)
    children = [start(recover_together, str(bucket.root), spool, together) for _ in range(3)]
    together.wait()
    for number in range(60):
        leave_dead_segment(spool, f"dead-{number:06}", lines(number) + b'{"torn')
    together.wait()
    answers = [receiver.recv() for _, receiver in children]
    for child, _ in children:
        child.join()

    uploaded = sorted(name for names, _ in answers for name in names)
    assert uploaded == [f"{SEGMENTS}/{DAY}/dead-{number:06}.jsonl.gz" for number in range(60)]
    assert [error for _, error in answers] == [None] * 3
    assert ids(bucket) == list(range(60))
    assert files(spool) == []


def test_a_segment_is_read_without_its_torn_line() -> None:
    assert list(read_segment(lines(1, 2) + lines(3)[:-1])) == [record(1), record(2)]
    assert list(read_segment(b"")) == []
    assert list(read_segment(b'{"torn')) == []


@pytest.mark.parametrize(
    "broken", [b'{"request_id": \n', b"\n", b"\0\0\0\n", b"[1, 2]\n", b'"text"\n', b"\xff\n"]
)
def test_a_broken_line_before_the_end_is_an_error_that_names_the_segment_and_the_line(broken: bytes) -> None:
    entries = read_segment(lines(1) + broken + lines(2), "a.jsonl")

    assert next(entries) == record(1)
    with pytest.raises(PredictionLogError, match="Line 2 of a.jsonl is not a JSON object"):
        next(entries)


def test_segments_wait_for_the_bucket_and_are_uploaded_once(
    gcs_front: Front, gcs_url: str, tmp_path: Path
) -> None:
    bucket = gcs_front.open(gcs_url, deadline_seconds=0.1)
    log = PredictionLog(bucket, tmp_path / "spool")
    gcs_front.fail("POST", "/", *[refuse(503, "Backend Error")] * 50)
    log.append([record(number) for number in range(3)])
    log.close()
    assert "waits until bucket gs://" in str(log.error)
    assert len(list((tmp_path / "spool").iterdir())) == 1

    gcs_front.heal()
    gcs_front.fail("POST", "/", lose_answer)
    PredictionLog(gcs_front.open(gcs_url), tmp_path / "spool").close()

    assert list(logged(bucket).values()) == [[0, 1, 2]]
    assert len(list(bucket.list())) == 1
    assert list((tmp_path / "spool").iterdir()) == []
