"""The figures of the latest drift report in the metrics of the service."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.drift import Evidence, examine
from football_assets.monitoring.summary import LATEST, DriftSummary, save_summary
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.prediction_logs import no_matches
from football_assets_tests.builders.running import ServingLog
from serve.metrics import ServingMetrics
from serve.service import ForecastService

EMPTY = no_matches()
QUIET = examine(Evidence(datetime.now(UTC), None, None, EMPTY, EMPTY, EMPTY), DriftConfig())


@pytest.fixture
def service(tmp_path: Path) -> ForecastService:
    """Without a model."""
    return ForecastService(LocalBucket(tmp_path / "bucket"), tmp_path / "scratch", ServingMetrics())


def found(share: float | None, log_loss: float | None) -> DriftSummary:
    return QUIET.summary.model_copy(update={"drift_share": share, "live_log_loss": log_loss})


def gauges(service: ForecastService) -> dict[str, float]:
    """Return the drift gauges after the service has read the bucket."""
    service.refresh()
    families = text_string_to_metric_families(service.metrics.render()[0].decode())
    wanted = ("football_drift_share", "football_live_log_loss", "football_stopped_feed_leagues")
    return {family.name: family.samples[0].value for family in families if family.name in wanted}


def test_gauges_follow_the_latest_report(service: ForecastService, caplog: pytest.LogCaptureFixture) -> None:
    assert gauges(service) == {}
    assert "drift summary" not in caplog.text  # that there is none yet is no error
    save_summary(service.bucket, found(0.25, None))
    assert gauges(service) == {"football_drift_share": 0.25}
    save_summary(service.bucket, found(0.5, 1.02))
    assert gauges(service) == {"football_drift_share": 0.5, "football_live_log_loss": 1.02}


def test_what_a_quiet_report_cannot_tell_is_no_number(service: ForecastService) -> None:
    save_summary(service.bucket, found(0.5, 1.02))
    gauges(service)
    save_summary(service.bucket, found(None, 1.01))

    shown = gauges(service)

    assert math.isnan(shown["football_drift_share"])
    assert shown["football_live_log_loss"] == 1.01


def test_a_summary_that_cannot_be_read_leaves_the_figures_as_they_were(
    service: ForecastService, serving_log: ServingLog
) -> None:
    save_summary(service.bucket, found(0.5, 1.02))
    before = gauges(service)
    service.bucket.write(LATEST, b"<html>")

    assert gauges(service) == before

    assert "The drift summary cannot be read: ValidationError: " in serving_log.text()
    save_summary(service.bucket, found(0.75, 1.0))
    assert gauges(service)["football_drift_share"] == 0.75


def test_a_problem_that_lasts_is_logged_once_and_again_after_its_end(
    service: ForecastService, serving_log: ServingLog
) -> None:
    for _ in range(2):
        for name in (LATEST, "tables/fixture_predictions.parquet"):
            service.bucket.write(name, b"<html>")
        for _ in range(3):
            service.refresh()
        service.bucket.delete("tables/fixture_predictions.parquet")
        save_summary(service.bucket, found(0.5, 1.0))
        service.refresh()

    text = serving_log.text()
    assert (text.count("drift summary cannot be read"), text.count("fixture list cannot be read")) == (2, 2)


def test_leagues_whose_feed_stopped_are_counted_and_go_back_to_none(service: ForecastService) -> None:
    for leagues in (2, 0):
        summary = found(None, None).model_copy(update={"stopped_feeds": {"odds": leagues}})
        save_summary(service.bucket, summary)
        assert gauges(service) == {"football_stopped_feed_leagues": leagues}
