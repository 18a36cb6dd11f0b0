"""Compaction of the prediction log: the segments that serving wrote become one Parquet table per day.

Memory is bounded, however many records a day has. Segments are read one after another into sorted files of the scratch
folder; these and the day's table are then merged some rows at a time (`monitoring.log_tables`). The table is replaced
by one conditional write, then its segments are deleted. Each row carries its segment and line, so that a segment that
is still there after a crash, or is uploaded again, adds nothing that the table has.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import polars as pl

from football_assets.errors import ObjectNotFound, PreconditionFailed, UpdateConflict
from football_assets.monitoring.log_records import FeatureNames, SegmentRecords
from football_assets.monitoring.log_tables import Runs, merge_log
from football_assets.monitoring.schema import LOG_TABLE, UNNAMED
from football_assets.registry.store import Registry
from football_assets.storage.bucket import Bucket, ObjectInfo
from football_assets.storage.log_segments import SEGMENTS, PredictionLogError, SegmentName, is_whole
from football_assets.storage.tables import table_object
from football_assets.storage.updates import update_file

REJECTED = "prediction_log/rejected"
PROBLEM_LINES = 20  # of a segment that are reported one by one


@dataclass(frozen=True)
class Problem:
    """A line or object of the log that could not be used. `line` counts from 1; None: the whole object."""

    object: str
    line: int | None
    reason: str


@dataclass
class Compaction:
    """The result of a compaction: rows added, segments deleted, days whose table changed, and problems."""

    rows: int = 0
    segments: int = 0
    days: list[date] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def compact(bucket: Bucket, scratch: Path | None = None) -> Compaction:
    """Move every segment of the bucket into the tables, one day at a time.

    Several compactions may run at the same time, while serving uploads more segments. A line that is not a record is
    moved to `prediction_log/rejected/`. An object that is not a segment, is corrupt, or has no record is left in place.

    Parameters
    ----------
    scratch
        Local folder with room for twice the tables of the day with the most records; None: that of `tempfile`.

    Raises
    ------
    PredictionLogError
        Other processes changed the table of a day during every attempt.
    """
    done = Compaction()
    days: dict[date, list[tuple[SegmentName, ObjectInfo]]] = {}
    for item in bucket.list(f"{SEGMENTS}/"):
        name = SegmentName.parse(item.name)
        if name is None:
            done.problems.append(
                Problem(item.name, None, "is not a segment of the prediction log: it is left as it is.")
            )
        else:
            days.setdefault(name.day, []).append((name, item))
    names = FeatureNames(Registry(bucket))
    if scratch is not None:
        scratch.mkdir(parents=True, exist_ok=True)
    for day, items in days.items():
        with TemporaryDirectory(prefix="compaction-", dir=scratch) as folder:
            _compact_day(bucket, day, items, names, Path(folder), done)
    return done


def _compact_day(
    bucket: Bucket,
    day: date,
    items: Sequence[tuple[SegmentName, ObjectInfo]],
    names: FeatureNames,
    folder: Path,
    done: Compaction,
) -> None:
    runs = Runs(folder)
    by_upload = sorted(items, key=lambda item: (item[1].updated, item[1].name))
    twice = _Repeated(repeated(name.file for name, _ in items))
    usable = [item for name, item in by_upload if _read_segment(bucket, name, item, names, runs, twice, done)]
    runs.flush()
    added = _add_rows(bucket, day, runs, folder)
    if added:
        done.rows += added
        done.days.append(day)
    for item in usable:
        try:
            bucket.delete(item.name, if_version=item.version)
        except PreconditionFailed:  # deleted by another compaction, or uploaded again since it was listed
            continue
        done.segments += 1


def repeated(files: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, in time proportional to their number."""
    return [file for file, count in Counter(files).items() if count > 1]


class _Repeated:
    """Lines of segments that lie in the bucket twice: compressed, and as plain text from before an upgrade."""

    def __init__(self, files: Iterable[str]) -> None:
        self._seen: dict[str, set[int]] = {file: set() for file in files}

    def without(self, file: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Leave out the lines that an earlier call had."""
        if file not in self._seen:
            return frame
        new = frame.filter(~pl.col("line").is_in(list(self._seen[file])))
        self._seen[file].update(new["line"])
        return new


def _read_segment(
    bucket: Bucket,
    name: SegmentName,
    item: ObjectInfo,
    names: FeatureNames,
    runs: Runs,
    twice: _Repeated,
    done: Compaction,
) -> bool:
    """Read a segment's rows into the runs, keep what is no record, and return whether it can be deleted afterwards."""
    try:
        data = bucket.read(item.name)
        whole = is_whole(data)
    except ObjectNotFound:  # another compaction has removed it
        return False
    except PredictionLogError as error:
        done.problems.append(Problem(item.name, None, f"was left alone. {error}"))
        return False
    records = SegmentRecords(name.file)
    for frame in records.frames(data, names):
        runs.add(twice.without(name.file, frame))
    is_usable = records.rows > 0 or not records.rejected
    done.problems.extend(_problems(item, records, is_usable))
    if not data:
        done.problems.append(
            Problem(item.name, None, "is empty: nothing of it was uploaded, so it is deleted.")
        )
    elif not whole and not records.rejected:
        done.problems.append(
            Problem(
                item.name,
                None,
                f"was cut off: {records.rows} whole lines of it are read, and it is kept in {REJECTED}/.",
            )
        )
    if is_usable and records.rejected:
        lines = b"".join(line.content + b"\n" for line in records.rejected)
        bucket.write(f"{REJECTED}/{name.day}/{name.file}", lines)
    if is_usable and not whole:
        bucket.write(f"{REJECTED}/{name.day}/{item.name.rpartition('/')[2]}", data)
    return is_usable


def _add_rows(bucket: Bucket, day: date, runs: Runs, folder: Path) -> int:
    """Add to a day's table the rows that it does not have yet; returns how many."""
    if not runs.paths:
        return 0
    added = attempts = 0

    def change(current: BinaryIO | None) -> Path | None:
        nonlocal added, attempts
        attempts += 1
        target = folder / f"table-{attempts}.parquet"
        added = merge_log(current, runs, target)
        return target if added else None

    try:
        update_file(bucket, table_object(LOG_TABLE, str(day)), change)
    except UpdateConflict as error:
        raise PredictionLogError(str(error)) from error
    return added


def _problems(item: ObjectInfo, records: SegmentRecords, is_usable: bool) -> Iterator[Problem]:
    kept = f"it is kept in {REJECTED}/." if is_usable else "no line is one, so it was left alone."
    for line in records.rejected[:PROBLEM_LINES]:
        yield Problem(item.name, line.number, f"is not a record ({line.problem}): {kept}")
    more = len(records.rejected) - PROBLEM_LINES
    if more > 0:
        yield Problem(item.name, None, f"has {more} more lines that are no record.")
    for version, reason in records.nameless.items():
        yield Problem(
            item.name,
            None,
            f"has records of model version {version} whose features have no names ({reason}): they are kept in "
            f"`{UNNAMED}`.",
        )


def describe(problems: Iterable[Problem]) -> pl.DataFrame:
    """Return problems as a table, one row per problem."""
    return pl.DataFrame(
        [(problem.object, problem.line, problem.reason) for problem in problems],
        schema={"object": pl.String, "line": pl.Int64, "what": pl.String},
        orient="row",
    )
