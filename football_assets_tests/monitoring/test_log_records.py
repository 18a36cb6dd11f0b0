"""Records become rows some at a time; a line that is no record is rejected alone."""

from pathlib import Path

import polars as pl
import pytest

from football_assets.monitoring import log_records
from football_assets.monitoring.log_records import FeatureNames, SegmentRecords
from football_assets.registry.store import Registry
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.prediction_logs import lines, publish_inputs, record


@pytest.fixture
def names(tmp_path: Path) -> FeatureNames:
    bucket = LocalBucket(tmp_path / "bucket")
    publish_inputs(bucket, tmp_path / "version")
    return FeatureNames(Registry(bucket))


def test_rows_come_some_at_a_time_and_carry_their_lines(
    names: FeatureNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_records, "_RECORDS_AT_ONCE", 2)
    records = SegmentRecords("a.jsonl")

    frames = list(records.frames(lines(record(1), record(2)) + b"[]\n" + lines(record(3)), names))

    assert [frame["line"].to_list() for frame in frames] == [[1, 2], [4]]
    assert [frame["home_elo"].to_list() for frame in frames] == [[1.0, 2.0], [3.0]]
    assert records.rows == 3
    assert [(line.number, line.content) for line in records.rejected] == [(3, b"[]")]


@pytest.mark.parametrize("features", [[[1.0], [2.0]], ["a"], [{}], 7, None])
def test_features_that_are_no_numbers_reject_the_line(names: FeatureNames, features: object) -> None:
    records = SegmentRecords("a.jsonl")

    assert list(records.frames(lines(record(1, features=features)), names)) == []
    assert [line.number for line in records.rejected] == [1]


@pytest.mark.parametrize(
    "value",
    [
        {"time": "0001-01-01T00:00:00+14:00"},  # a year before the first in UTC
        {"model_version": 1 << 63},
        {"model_version": 1e300},
    ],
)
def test_values_beyond_the_range_of_their_column_reject_the_line_alone(
    names: FeatureNames, value: dict[str, object]
) -> None:
    records = SegmentRecords("a.jsonl")

    (frame,) = records.frames(lines(record(1), record(2, **value), record(3)), names)

    assert frame["line"].to_list() == [1, 3]
    assert [line.number for line in records.rejected] == [2]


def test_unknown_features_are_null_and_known_ones_single_precision(names: FeatureNames) -> None:
    features = [0.1, None, *[7] * (len(DEFAULT_SPEC.context) - 2)]

    (frame,) = SegmentRecords("a.jsonl").frames(lines(record(1, features=features)), names)

    assert frame.schema["home_elo"] == pl.Float32
    assert frame.select("home_elo", "away_elo").row(0) == (pytest.approx(0.1), None)
    assert frame[DEFAULT_SPEC.context_names[-1]].to_list() == [7.0]
