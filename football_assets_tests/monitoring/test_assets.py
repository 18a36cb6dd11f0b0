"""`prediction_log` and `drift_report` as Dagster runs them, with their checks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster import AssetCheckSeverity, AssetSpec, ExecuteInProcessResult, materialize

from football_assets.monitoring.assets import assets
from football_assets.monitoring.checks import checks
from football_assets.monitoring.summary import HISTORY, REPORT, load_summary
from football_assets.orchestration.io_managers import TableIOManager
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import write_table
from football_assets_tests.builders.prediction_logs import (
    fixtures_of,
    lines,
    no_matches,
    publish_production,
    record,
    records_of,
    reference_like,
    results_of,
    upload,
)
from football_assets_tests.builders.registry_graph import evaluations, metadata

REFERENCE = reference_like(3000)
WINDOW = reference_like(200, seed=1)
ASKED = datetime.now(UTC) - timedelta(days=2)
DAY = str(ASKED.date())
QUIET = {
    "every_prediction_is_logged_once": True,
    "inputs_are_as_in_training": True,
    "inputs_are_sound": True,
    "outcomes_are_as_forecast": True,
    "live_scores_are_as_expected": True,
}


@pytest.fixture
def resource(tmp_path: Path) -> BucketResource:
    """A bucket without matches, and a model in production."""
    resource = BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))
    write_table(resource.open(), "stg_matches", no_matches())
    publish_production(resource.open(), tmp_path / "version", REFERENCE)
    return resource


def run(resource: BucketResource, **arguments: Any) -> ExecuteInProcessResult:
    upstream = [AssetSpec("stg_matches").with_io_manager_key("tables"), AssetSpec("registered_model")]
    resources = {"bucket": resource, "tables": TableIOManager(bucket=resource)}
    return materialize([*upstream, *assets, *checks], resources=resources, **arguments)


def passed(result: ExecuteInProcessResult) -> dict[str, bool]:
    return {name: item.passed for name, item in evaluations(result).items()}


def log_of(bucket: Bucket, window: pl.DataFrame) -> None:
    upload(bucket, "a-000000", lines(*records_of(window, ASKED)), day=DAY)


def test_an_empty_log_succeeds_and_every_check_passes_with_a_note(resource: BucketResource) -> None:
    result = run(resource)

    bucket = resource.open()
    assert passed(result) == QUIET
    assert "0 matches of the fixture lists were forecast in 30 days" in str(
        evaluations(result)["inputs_are_as_in_training"].description
    )
    assert evaluations(result)["inputs_are_as_in_training"].metadata["verdict"].value == "insufficient_data"
    assert metadata(result, "prediction_log")["dagster/row_count"] == 0
    assert metadata(result, "drift_report")["status"] == "insufficient_data"
    assert b"There is insufficient data" in bucket.read(REPORT)
    assert len(list(bucket.list(HISTORY))) == 1


def test_without_a_model_the_graph_succeeds_too(tmp_path: Path) -> None:
    resource = BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))
    write_table(resource.open(), "stg_matches", no_matches())

    assert metadata(run(resource), "drift_report")["status"] == "insufficient_data"


def test_what_was_asked_is_compacted_compared_and_shown(resource: BucketResource) -> None:
    bucket = resource.open()
    write_table(bucket, "stg_matches", results_of(WINDOW, ASKED.date()))
    log_of(bucket, WINDOW)

    result = run(resource)

    log, report = metadata(result, "prediction_log"), metadata(result, "drift_report")
    assert passed(result) == QUIET
    assert (log["dagster/row_count"], log["rows_added"], log["segments"], log["days"]) == (200, 200, 1, 1)
    assert (log["first_day"], log["matches_forecast"]) == (DAY, 200)
    assert log["live_log_loss"] == report["live_log_loss"] == pytest.approx(1.0, abs=0.15)
    assert log["by_version"].splitlines()[2].startswith("| 1 | 200 | 200 |")
    assert (report["status"], report["drift_share"], report["model_version"]) == ("ok", 0.0, 1)
    assert report["expected_log_loss"] == pytest.approx(1.0, abs=0.15)
    assert report["columns"].count("\n") > 20
    assert "goals" in report["results_against_forecasts"]
    plots = [value for name, value in report.items() if name.endswith("_plot")]
    assert len(plots) == 2
    assert all("](data:image/png;base64,iVBOR" in plot for plot in plots)
    assert b'<section id="summary">' in bucket.read(REPORT)
    assert report["bytes"] == len(bucket.read(REPORT))


def test_drift_warns_and_says_why(resource: BucketResource) -> None:
    bucket = resource.open()
    write_table(bucket, "stg_matches", fixtures_of(WINDOW, ASKED.date()))
    log_of(
        bucket, WINDOW.with_columns((pl.selectors.starts_with("home_", "away_") & pl.selectors.float()) * 3)
    )

    result = run(resource)

    check = evaluations(result)["inputs_are_as_in_training"]
    assert not check.passed
    assert check.severity is AssetCheckSeverity.WARN
    summary = load_summary(bucket)
    assert summary is not None
    assert summary.status == "drift"
    assert check.description == summary.finding("inputs").note
    assert metadata(result, "drift_report")["reasons"].startswith("- ")
    assert passed(result)["outcomes_are_as_forecast"]


def test_custom_histories_are_counted_and_shown_and_no_check_warns(resource: BucketResource) -> None:
    given = {"kind": "sequences", "home_team_id": None, "away_team_id": None}
    invented = [item | given for item in records_of(WINDOW, ASKED)]
    upload(resource.open(), "a-000000", lines(*invented), day=DAY)

    result = run(resource)

    log, report = metadata(result, "prediction_log"), metadata(result, "drift_report")
    assert (log["matches_forecast"], log["custom_histories"], log["unlisted"]) == (0, 200, 0)
    assert (report["status"], report["predictions"], report["custom_histories"]) == (
        "insufficient_data",
        0,
        200,
    )
    assert "| custom histories | 200 |" in report["not_compared"]
    assert passed(result) == QUIET


def test_thresholds_are_set_in_the_launchpad(resource: BucketResource) -> None:
    write_table(resource.open(), "stg_matches", fixtures_of(WINDOW, ASKED.date()))
    log_of(resource.open(), WINDOW.head(60))

    config = {"least_predictions": 61, "window_days": 7}
    result = run(resource, run_config={"ops": {"drift_report": {"config": config}}})

    assert metadata(result, "drift_report")["status"] == "insufficient_data"
    reasons = metadata(result, "drift_report")["reasons"]
    assert "60 matches of the fixture lists were forecast in 7 days; 61 are needed" in reasons
    summary = load_summary(resource.open())
    assert summary is not None
    assert summary.thresholds["least_predictions"] == 61


def test_problems_of_the_log_are_shown_and_do_not_fail_it(resource: BucketResource) -> None:
    upload(resource.open(), "a-000000", lines(record(1)) + b"garbage\n")

    log = metadata(run(resource), "prediction_log")

    assert (log["rows_added"], log["problems"]) == (1, 1)
    assert "is not a record" in log["what_was_odd"]
