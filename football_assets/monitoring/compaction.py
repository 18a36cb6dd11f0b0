"""Compaction of the prediction log: segments that serving wrote become one Parquet table a day, each line once.

The day's table is replaced by a conditional write, then its segments are deleted. Each row carries its segment and
line, so that a segment that is still there after a crash, or is uploaded again, adds nothing that the table has.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl

from football_assets.domain.columns import EXPECTED_GOALS_COLUMNS, PROBABILITY_COLUMNS
from football_assets.errors import ObjectNotFound, PreconditionFailed, RegistryError, UpdateConflict
from football_assets.monitoring.schema import LOG_SCHEMA, LOG_TABLE, UNNAMED
from football_assets.registry.store import Registry
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.tier_names import RESULTS, TIER_COLUMN
from football_assets.storage.bucket import Bucket, ObjectInfo
from football_assets.storage.log_segments import SEGMENTS, Line, PredictionLogError, segment_lines
from football_assets.storage.model_files import FEATURE_SPEC
from football_assets.storage.tables import table_object
from football_assets.storage.updates import update

REJECTED = "prediction_log/rejected"

_KEY = ["segment", "line"]
_OF_RECORD = tuple(LOG_SCHEMA)[: tuple(LOG_SCHEMA).index("segment")]


@dataclass(frozen=True)
class Problem:
    """Something in the log that could not be used as it is. `line` counts from 1, None for a whole object."""

    object: str
    line: int | None
    reason: str


@dataclass
class Compaction:
    """What a compaction did: rows added, segments deleted, days whose table changed, and what was odd."""

    rows: int = 0
    segments: int = 0
    days: list[date] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def compact(bucket: Bucket) -> Compaction:
    """Move every segment of the bucket into the tables, a day at a time; a day's rows are in memory at once.

    Any number may run at once, while serving uploads more. A line that is no record is kept under
    `prediction_log/rejected/`; an object that is no segment, or has no record at all, stays where it is.

    Raises
    ------
    PredictionLogError
        The table of a day changes all the time.
    """
    done = Compaction()
    days: dict[date, list[ObjectInfo]] = {}
    for item in bucket.list(f"{SEGMENTS}/"):
        day = _day_of(item.name)
        if day is None:
            done.problems.append(
                Problem(item.name, None, "is not a segment of the prediction log: it is left as it is.")
            )
        else:
            days.setdefault(day, []).append(item)
    names = _FeatureNames(Registry(bucket))
    for day, items in days.items():
        _compact_day(bucket, day, items, names, done)
    return done


def _day_of(name: str) -> date | None:
    """Return the day in a segment's name, or None if serving did not write the segment."""
    parts = name.removeprefix(f"{SEGMENTS}/").split("/")
    try:
        return date.fromisoformat(parts[0]) if len(parts) == 2 and parts[1].endswith(".jsonl") else None
    except ValueError:
        return None


def _compact_day(
    bucket: Bucket, day: date, items: list[ObjectInfo], names: "_FeatureNames", done: Compaction
) -> None:
    found = [segment for segment in (_Segment.read(bucket, item, names) for item in items) if segment]
    for segment in found:
        done.problems.extend(segment.problems())
    usable = [segment for segment in found if segment.is_usable]
    added = _add_rows(bucket, day, [segment.rows for segment in usable if not segment.rows.is_empty()])
    if added:
        done.rows += added
        done.days.append(day)
    for segment in usable:
        if segment.rejected:
            lines = b"".join(line.content + b"\n" for line in segment.rejected)
            bucket.write(f"{REJECTED}/{day}/{segment.file}", lines)
        try:
            bucket.delete(segment.item.name, if_version=segment.item.version)
        except PreconditionFailed:  # deleted by another compaction, or uploaded again since it was listed
            continue
        done.segments += 1


def _add_rows(bucket: Bucket, day: date, frames: list[pl.DataFrame]) -> int:
    """Add to a day's table the rows that it does not have yet; returns how many."""
    if not frames:
        return 0
    rows = pl.concat(frames, how="diagonal_relaxed")
    name = table_object(LOG_TABLE, str(day))
    added = 0

    def change(data: bytes | None) -> bytes | None:
        nonlocal added
        table = pl.read_parquet(io.BytesIO(data)) if data is not None else rows.clear()
        new = rows.join(table, on=_KEY, how="anti")
        added = new.height
        if new.is_empty():
            return None
        buffer = io.BytesIO()
        pl.concat([table, new], how="diagonal_relaxed").sort("time", *_KEY).write_parquet(
            buffer, compression="zstd"
        )
        return buffer.getvalue()

    try:
        update(bucket, name, change)
    except UpdateConflict as error:
        raise PredictionLogError(str(error)) from error
    return added


@dataclass(frozen=True)
class _Segment:
    item: ObjectInfo
    rows: pl.DataFrame
    rejected: list[Line]
    nameless: dict[int, str]  # by model version, why its features have no names

    @property
    def file(self) -> str:
        return self.item.name.rpartition("/")[2]

    @property
    def is_usable(self) -> bool:
        return not self.rows.is_empty() or not self.rejected

    @classmethod
    def read(cls, bucket: Bucket, item: ObjectInfo, names: "_FeatureNames") -> "_Segment | None":
        """Read a segment's records as rows, or None where another compaction has removed it."""
        try:
            data = bucket.read(item.name)
        except ObjectNotFound:
            return None
        records: list[tuple[int, tuple[Any, ...], Any]] = []
        rejected = []
        for line in segment_lines(data):
            try:
                if line.record is None:
                    raise ValueError(line.problem)
                records.append((line.number, _values(line.record), _features(line.record["features"])))
            except (ValueError, KeyError, TypeError) as error:
                reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
                rejected.append(Line(line.number, line.content, None, reason))
        rows, nameless = _rows(item.name.rpartition("/")[2], records, names)
        return cls(item, rows, rejected, nameless)

    def problems(self) -> Iterator[Problem]:
        kept = f"it is kept in {REJECTED}/." if self.is_usable else "no line is one, so it was left alone."
        for line in self.rejected:
            yield Problem(self.item.name, line.number, f"is not a record ({line.problem}): {kept}")
        for version, reason in self.nameless.items():
            yield Problem(
                self.item.name,
                None,
                f"has records of model version {version} whose features have no names ({reason}): they are kept in "
                f"`{UNNAMED}`.",
            )


def _values(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return a record's values in the order of the schema, without its features."""
    answered = datetime.fromisoformat(record["time"])
    if answered.tzinfo is None:
        raise ValueError(f"its time {record['time']!r} has no offset")
    answered = answered.astimezone(UTC)
    home, away = record["home_team_id"], record["away_team_id"]
    return (
        _text(record["request_id"]),
        answered,
        int(record["model_version"]),
        _text(record["kind"]),
        _text(record["league_id"]),
        home if home is None else _text(home),
        away if away is None else _text(away),
        date.fromisoformat(record["kickoff_date"]),
        *_numbers(record["p"], len(PROBABILITY_COLUMNS)),
        *_numbers(record["xg"], len(EXPECTED_GOALS_COLUMNS)),
        float(record["latency_ms"]),
        _text(record.get(TIER_COLUMN, RESULTS)),  # records of before there were tiers have none
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value


def _numbers(values: object, count: int) -> list[float]:
    if not isinstance(values, list) or len(values) != count:
        raise ValueError(f"{values!r} is not a list of {count} numbers")
    return [float(value) for value in values]


def _features(values: object) -> dict[str, float] | list[float]:
    """Return inputs in the specification's order, or by name as in earlier records; NaN where unknown."""
    if isinstance(values, dict):
        return dict(zip(values, _features(list(values.values())), strict=True))
    if not isinstance(values, list):
        raise TypeError(f"its features {values!r} are not a list")
    return [np.nan if value is None else float(value) for value in values]


def _rows(
    segment: str, records: list[tuple[int, tuple[Any, ...], Any]], names: "_FeatureNames"
) -> tuple[pl.DataFrame, dict[int, str]]:
    """One row per record, its features in columns; and why those of some model versions are not."""
    version_at = _OF_RECORD.index("model_version")
    shapes: dict[tuple[int, tuple[str, ...] | int], list[int]] = {}
    for position, (_, values, features) in enumerate(records):
        shape = tuple(features) if isinstance(features, dict) else len(features)
        shapes.setdefault((values[version_at], shape), []).append(position)
    frames = [LOG_SCHEMA.to_frame()]
    nameless = {}
    for (version, shape), positions in shapes.items():
        part = [records[position] for position in positions]
        frame = pl.DataFrame(
            [(*values, segment, line, None) for line, values, _ in part], schema=LOG_SCHEMA, orient="row"
        )
        columns, reason = (list(shape), None) if isinstance(shape, tuple) else names.of(version, shape)
        features = [list(item.values()) if isinstance(item, dict) else item for _, _, item in part]
        if reason is None and not set(columns) & set(LOG_SCHEMA):
            matrix = np.array(features, dtype=np.float32).reshape(len(part), len(columns))
            frame = frame.hstack(pl.DataFrame(matrix, schema=columns).fill_nan(None))
        else:
            nameless[version] = reason or "their names are those of other columns"
            unnamed = pl.Series(UNNAMED, features, dtype=LOG_SCHEMA[UNNAMED])
            frame = frame.with_columns(unnamed.list.eval(pl.element().fill_nan(None)))
        frames.append(frame)
    return pl.concat(frames, how="diagonal_relaxed"), nameless


class _FeatureNames:
    """Names of the inputs of model versions, each read from the registry once."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[int, list[str] | str] = {}

    def of(self, version: int, count: int) -> tuple[list[str], str | None]:
        """Return a version's feature names, or why they do not fit the number of features."""
        if version not in self._known:
            self._known[version] = self._read(version)
        names = self._known[version]
        if isinstance(names, str):
            return [], names
        if len(names) != count:
            return [], f"{count} features, and the version has {len(names)}"
        return names, None

    def _read(self, version: int) -> list[str] | str:
        try:
            return FeatureSpec.model_validate_json(self._registry.read(version, FEATURE_SPEC)).context_names
        except (RegistryError, ValueError) as error:
            return str(error).splitlines()[0]


def describe(problems: Iterable[Problem]) -> pl.DataFrame:
    """Problems as a table for a person."""
    return pl.DataFrame(
        [(problem.object, problem.line, problem.reason) for problem in problems],
        schema={"object": pl.String, "line": pl.Int64, "what": pl.String},
        orient="row",
    )
