"""Objects of the log and of the reports go by their day; what has no day stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from football_assets.monitoring.compaction import REJECTED
from football_assets.retention.log_objects import (
    removable_rejected,
    removable_reports,
    removable_segments,
    removable_tables,
)
from football_assets.storage.bucket import ObjectInfo
from football_assets.storage.local import LocalBucket
from football_assets.storage.log_segments import SEGMENTS
from football_assets_tests.builders.retention_worlds import (
    NOW,
    add_report,
    add_table,
    age,
    days_ago,
    write_aged,
)


def test_tables_rejected_lines_and_reports_go_by_their_age(tmp_path: Path) -> None:
    bucket = LocalBucket(tmp_path / "bucket")
    for days in (99, 100, 101):
        add_table(bucket, days, [1])
        write_aged(bucket, f"{REJECTED}/{days_ago(days).date()}/a.jsonl", b"{", days)
        add_report(bucket, days + 0.1, 1)
    write_aged(bucket, f"{REJECTED}/notes/a.jsonl", b"{", 500)

    old = f"{days_ago(101).date()}"
    assert [item.name for item in removable_tables(bucket, 100, NOW)] == [
        f"tables/prediction_log/{old}.parquet"
    ]
    assert [item.name for item in removable_rejected(bucket, 100, NOW)] == [f"{REJECTED}/{old}/a.jsonl"]
    assert [item.written.date() for item in removable_reports(bucket, 100, NOW)] == [
        days_ago(101.1).date(),
        days_ago(100.1).date(),
    ]


def test_a_table_of_a_replica_whose_clock_is_years_behind_stays(tmp_path: Path) -> None:
    bucket = LocalBucket(tmp_path / "bucket")
    day = add_table(bucket, 2000, [1])
    name = f"tables/prediction_log/{day}.parquet"
    age(bucket.root / name, 1 / 24)
    add_table(bucket, 1999, [1])
    write_aged(bucket, "tables/prediction_log/notes.parquet", b"mine", 1999)

    assert [item.name for item in removable_tables(bucket, 400, NOW)] == [
        f"tables/prediction_log/{days_ago(1999).date()}.parquet"
    ]


def test_a_segment_that_is_corrupt_or_no_segment_stays(tmp_path: Path) -> None:
    bucket = LocalBucket(tmp_path / "bucket")
    day = add_table(bucket, 500, [1])
    write_aged(bucket, f"{SEGMENTS}/{day}/a-000000.jsonl.gz", b"\x1f\x8b\x08broken", 500)
    write_aged(bucket, f"{SEGMENTS}/{day}/empty.jsonl", b"", 500)
    write_aged(bucket, f"{SEGMENTS}/notes.txt", b"mine", 500)

    assert list(removable_segments(bucket, NOW)) == []


def test_a_table_that_is_written_while_tables_are_listed_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = LocalBucket(tmp_path / "bucket")
    listing = LocalBucket.list

    def grows(self: LocalBucket, prefix: str = "") -> Iterator[ObjectInfo]:
        yield from list(listing(self, prefix))
        add_table(bucket, 500, [1])

    monkeypatch.setattr(LocalBucket, "list", grows)

    assert list(removable_tables(bucket, 400, NOW)) == []
    assert len(list(removable_tables(bucket, 400, NOW))) == 1
