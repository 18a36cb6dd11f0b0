"""Records as lines of JSON: whatever they hold, one line each, or none is written."""

from pathlib import Path

import numpy as np
import pytest

from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.log_writers import DAY, files, ids, record
from serve.prediction_log import PredictionLog, PredictionLogError, read_segment


def test_names_of_teams_numpy_numbers_and_missing_values_are_read_back(
    log: PredictionLog, bucket: LocalBucket
) -> None:
    features = np.array([1500.25, np.nan], np.float32)
    entry = record(1) | {"p": np.array([0.5, 0.25, 0.25], np.float32), "features": features}
    log.append([entry, record(2)])
    log.close()

    (item,) = bucket.list()
    first, second = read_segment(bucket.read(item.name))
    assert (first["home_team"], first["away_team"]) == ("Bayern München", "Łódź 北京")
    assert first["p"] == [0.5, 0.25, 0.25]
    assert first["features"] == [1500.25, None]
    assert second == record(2)


@pytest.mark.parametrize("text", ['"},{"request_id":7', '},{"request_id":7', "}\n{", '\\"},{"request_id":'])
def test_no_text_divides_a_record(log: PredictionLog, bucket: LocalBucket, text: str) -> None:
    entries = [record(1) | {"league": text, text: 1}, record(2) | {"league": text}]
    log.append(entries)
    log.close()

    (item,) = bucket.list()
    assert list(read_segment(bucket.read(item.name))) == entries


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (record(2) | {"p": object()}, "not JSON serializable: object"),
        ({"time": f"{DAY}T12:00:00Z"}, "first member must be `request_id`"),
        ({"time": f"{DAY}T12:00:00Z", "request_id": 2}, "first member must be `request_id`"),
        (record(2) | {"parts": [record(3), record(4)]}, "first member must be `request_id`"),
    ],
)
def test_a_record_that_is_not_one_line_of_json_leaves_its_whole_batch_unwritten(
    log: PredictionLog, bucket: LocalBucket, bad: dict[str, object], message: str
) -> None:
    log.append([record(0)])
    with pytest.raises(PredictionLogError, match=message):
        log.append([record(1), bad])
    log.close()

    assert ids(bucket) == [0]


@pytest.mark.parametrize("time", [{}, {"time": None}, {"time": "yesterday"}])
def test_a_first_record_without_a_time_is_refused(
    log: PredictionLog, spool: Path, time: dict[str, object]
) -> None:
    with pytest.raises(PredictionLogError, match="give `time` in RFC 3339"):
        log.append([{"request_id": 1} | time])

    assert files(spool) == []
