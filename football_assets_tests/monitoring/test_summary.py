"""The summary is read as it was written, and its history keeps every report."""

from datetime import UTC, datetime, timedelta

import pytest

from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.drift import Evidence, examine
from football_assets.monitoring.summary import HISTORY, LATEST, DriftSummary, load_summary, save_summary
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.prediction_logs import no_matches

NOW = datetime(2015, 12, 1, 12, tzinfo=UTC)


def summary(made_at: datetime = NOW) -> DriftSummary:
    nothing = no_matches()
    return examine(Evidence(made_at, None, None, nothing, nothing, nothing), DriftConfig()).summary


def test_a_saved_summary_is_the_latest_and_kept_in_the_history(bucket_url: str) -> None:
    bucket = open_bucket(bucket_url)
    assert load_summary(bucket) is None
    first, second = summary(), summary(NOW + timedelta(microseconds=1))

    save_summary(bucket, first)
    save_summary(bucket, second)

    assert load_summary(bucket) == second
    names = [item.name for item in bucket.list(HISTORY)]
    assert names == [f"{HISTORY}2015-12-01T120000.{micro:06}Z.json" for micro in (0, 1)]
    assert [DriftSummary.model_validate_json(bucket.read(name)) for name in names] == [first, second]
    assert bucket.stat(LATEST) is not None


def test_the_finding_of_an_area_is_found() -> None:
    assert summary().finding("quality").area == "quality"
    with pytest.raises(StopIteration):
        summary().finding("weather")  # type: ignore[arg-type]


def test_a_stored_report_with_the_earlier_name_of_the_status_is_read(bucket_url: str) -> None:
    bucket = open_bucket(bucket_url)
    stored = summary()
    assert stored.status == "insufficient_data"
    bucket.write(LATEST, stored.model_dump_json().replace("insufficient_data", "quiet").encode())

    assert load_summary(bucket) == stored
