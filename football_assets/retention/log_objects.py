"""Objects of the prediction log and of the drift reports that can be removed."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from football_assets.monitoring.compaction import REJECTED
from football_assets.monitoring.log_tables import lines_of
from football_assets.monitoring.results import DAYS_PREFIX
from football_assets.monitoring.schema import LOG_TABLE
from football_assets.monitoring.summary import HISTORY
from football_assets.retention.removal import Removal, object_removal
from football_assets.storage.bucket import Bucket, ObjectInfo
from football_assets.storage.log_segments import (
    SEGMENTS,
    PredictionLogError,
    SegmentName,
    is_whole,
    segment_lines,
)
from football_assets.storage.tables import table_object

SEGMENT_KIND = "log segments"
TABLE_KIND = "log tables"
REJECTED_KIND = "rejected log lines"
REPORT_KIND = "drift reports"

COMPACTED_AFTER = timedelta(days=1)  # the next compaction removes what one left behind


def removable_segments(bucket: Bucket, now: datetime) -> Iterator[Removal]:
    """Yield segments whose every record is in the day's table, left behind by a compaction that was killed."""
    days: dict[date, list[tuple[SegmentName, ObjectInfo]]] = {}
    for item in bucket.list(f"{SEGMENTS}/"):
        name = SegmentName.parse(item.name)
        if name is not None and now - item.updated > COMPACTED_AFTER:
            days.setdefault(name.day, []).append((name, item))
    for day, items in days.items():
        table = table_object(LOG_TABLE, str(day))
        if bucket.stat(table) is None:
            continue
        known = lines_of(bucket, table, {name.file for name, _ in items})
        for name, item in items:
            if _is_compacted(bucket, item, known.get(name.file, set())):
                yield object_removal(bucket, item, SEGMENT_KIND, "every record is in the day's table")


def _is_compacted(bucket: Bucket, item: ObjectInfo, known: set[int]) -> bool:
    data = bucket.read(item.name)
    try:
        lines = list(segment_lines(data)) if is_whole(data) else []
    except PredictionLogError:
        return False
    return bool(lines) and all(line.number in known for line in lines)


def removable_tables(bucket: Bucket, days: int, now: datetime) -> Iterator[Removal]:
    """Yield the tables of days of the log that are older than some days, and that were written before that, too.

    A replica whose clock is years behind logs under a day that is years ago.
    """
    first = now.date() - timedelta(days=days)
    for item in bucket.list(DAYS_PREFIX):
        day = _day(item.name.removeprefix(DAYS_PREFIX).removesuffix(".parquet"))
        if day < first and item.updated.date() < first:
            yield object_removal(bucket, item, TABLE_KIND, f"older than {days} days")


def removable_rejected(bucket: Bucket, days: int, now: datetime) -> Iterator[Removal]:
    """Yield lines that were no record, of days that are older than some days."""
    first = now.date() - timedelta(days=days)
    for item in bucket.list(f"{REJECTED}/"):
        if _day(item.name.removeprefix(f"{REJECTED}/")[:10]) < first and item.updated.date() < first:
            yield object_removal(bucket, item, REJECTED_KIND, f"older than {days} days")


def removable_reports(bucket: Bucket, days: int, now: datetime) -> Iterator[Removal]:
    """Yield the summaries of drift reports that are older than some days; the latest has an object of its own."""
    for item in bucket.list(HISTORY):
        if now - item.updated > timedelta(days=days):
            yield object_removal(bucket, item, REPORT_KIND, f"older than {days} days")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:  # not ours: never older
        return date.max
