"""Records of the prediction log as rows of its table: validated one by one, features in columns."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.columns import EXPECTED_GOALS_COLUMNS, PROBABILITY_COLUMNS
from football_assets.errors import RegistryError
from football_assets.monitoring.schema import LOG_SCHEMA, UNNAMED
from football_assets.registry.store import Registry
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.tier_names import RESULTS, TIER_COLUMN
from football_assets.storage.log_segments import Line, segment_lines
from football_assets.storage.model_files import FEATURE_SPEC

_RECORDS_AT_ONCE = 10_000  # that are held as Python objects at a time; they take 40 MB
_VERSION_BITS = 63  # of an Int64 without its sign
_OF_RECORD = tuple(LOG_SCHEMA)[: tuple(LOG_SCHEMA).index("segment")]


@dataclass
class SegmentRecords:
    """Counts and problems of a segment that is read; they are complete once `frames` is exhausted.

    Attributes
    ----------
    file
        Name of the segment in the rows.
    rows
        Number of records read.
    rejected
        Lines that are not records.
    nameless
        Reason for which the features of a model version have no names, by version.
    """

    file: str
    rows: int = 0
    rejected: list[Line] = field(default_factory=list)
    nameless: dict[int, str] = field(default_factory=dict)

    def frames(self, data: bytes, names: "FeatureNames") -> Iterator[pl.DataFrame]:
        """Yield the rows of a segment's content, some at a time.

        Raises
        ------
        PredictionLogError
            The content is corrupt.
        """
        records: list[tuple[int, tuple[Any, ...], Any]] = []
        for line in segment_lines(data):
            try:
                if line.record is None:
                    raise ValueError(line.problem)
                records.append((line.number, _values(line.record), _features(line.record["features"])))
            except (ValueError, KeyError, TypeError, OverflowError) as error:
                reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
                self.rejected.append(Line(line.number, line.content, None, reason))
            if len(records) == _RECORDS_AT_ONCE:
                yield self._frame(records, names)
                records = []
        if records:
            yield self._frame(records, names)

    def _frame(self, records: list[tuple[int, tuple[Any, ...], Any]], names: "FeatureNames") -> pl.DataFrame:
        frame, nameless = _rows(self.file, records, names)
        self.rows += frame.height
        self.nameless |= nameless
        return frame


def _values(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return a record's values in the order of the schema, without its features."""
    answered = datetime.fromisoformat(record["time"])
    if answered.tzinfo is None:
        raise ValueError(f"its time {record['time']!r} has no offset")
    answered = answered.astimezone(UTC)
    return (
        _text(record["request_id"]),
        answered,
        _version(record["model_version"]),
        _text(record["kind"]),
        _text(record["league_id"]),
        _text_or_none(record["home_team_id"]),
        _text_or_none(record["away_team_id"]),
        date.fromisoformat(record["kickoff_date"]),
        *_numbers(record["p"], len(PROBABILITY_COLUMNS)),
        *_numbers(record["xg"], len(EXPECTED_GOALS_COLUMNS)),
        float(record["latency_ms"]),
        _text(record.get(TIER_COLUMN, RESULTS)),  # earlier records have no tier
        *(
            _text_or_none(record.get(name)) for name in ("traceparent", "tracestate")
        ),  # earlier records have none
    )


def _version(value: Any) -> int:
    number = int(value)
    if number.bit_length() > _VERSION_BITS:
        raise ValueError(f"its model_version {value!r} is too large")
    return number


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _numbers(values: object, count: int) -> list[float]:
    if not isinstance(values, list) or len(values) != count:
        raise ValueError(f"{values!r} is not a list of {count} numbers")
    return [float(value) for value in values]


def _features(values: object) -> dict[str, NDArray[np.float32]] | NDArray[np.float32]:
    """Return inputs in the specification's order, or by name as in earlier records; NaN where unknown."""
    if isinstance(values, dict):
        return dict(zip(values, _features(list(values.values())), strict=True))
    if not isinstance(values, list):
        raise TypeError(f"its features {values!r} are not a list")
    numbers = np.array(values, np.float32)  # None becomes NaN
    if numbers.ndim != 1:
        raise ValueError("its features are not numbers")
    return numbers


def _rows(
    segment: str, records: list[tuple[int, tuple[Any, ...], Any]], names: "FeatureNames"
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
            lists = [np.asarray(item).tolist() for item in features]
            unnamed = pl.Series(UNNAMED, lists, dtype=LOG_SCHEMA[UNNAMED])
            frame = frame.with_columns(unnamed.list.eval(pl.element().fill_nan(None)))
        frames.append(frame)
    return pl.concat(frames, how="diagonal_relaxed"), nameless


class FeatureNames:
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
