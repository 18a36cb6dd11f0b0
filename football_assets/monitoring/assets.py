"""The Dagster shell of monitoring: `prediction_log` and `drift_report`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, TableColumn, TableSchema, asset

from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.schema import LOG_DESCRIPTIONS, LOG_SCHEMA
from football_assets.orchestration.launch_config import launchpad_config
from football_assets.orchestration.metadata import OWNERS, markdown_picture
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.tables import as_markdown

if TYPE_CHECKING:
    from football_assets.monitoring.compaction import Compaction
    from football_assets.monitoring.drift import DriftReport
    from football_assets.storage.bucket import Bucket

GROUP = "monitoring"
PROBLEMS_SHOWN = 20

DriftLaunchpad = launchpad_config(DriftConfig)

_COLUMNS = TableSchema(
    columns=[
        TableColumn(name, str(dtype), description=LOG_DESCRIPTIONS[name])
        for name, dtype in LOG_SCHEMA.items()
    ]
)


@asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"polars", "parquet"},
    tags={"grain": "prediction"},
    metadata={"dagster/column_schema": _COLUMNS},
    pool="prediction_log",
)
def prediction_log(
    context: AssetExecutionContext, bucket: BucketResource, stg_matches: pl.DataFrame
) -> MaterializeResult[None]:
    """One row per answered prediction, one table per day of the log: teams, inputs and forecast.

    Serving writes segments to the bucket. Each line is stored exactly once, also while serving writes. The metadata has
    the scores of production on the results that landed later.
    """
    from football_assets.monitoring.compaction import compact

    store = bucket.open()
    done = compact(store, Path(bucket.scratch))
    for problem in done.problems:
        context.log.warning("%s line %s %s", problem.object, problem.line or "-", problem.reason)
    return MaterializeResult(metadata=_log_metadata(store, done, stg_matches))


@asset(
    deps=[prediction_log, "registered_model"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"evidently"},
    tags={"grain": "report"},
    pool="drift_report",
)
def drift_report(
    context: AssetExecutionContext,
    config: DriftLaunchpad,  # type: ignore[valid-type]
    bucket: BucketResource,
    stg_matches: pl.DataFrame,
) -> MaterializeResult[None]:
    """Drift of inputs, forecasts, results and data quality of production from the training data.

    Recent requests about matches of the fixture lists are compared with the reference in the model's bundle, sampled
    with the same leagues and phases of the season. Custom histories, matches on no fixture list and forecasts with odds
    of the request are counted only. A feed of odds or of shots that stopped is reported and is no drift.
    The page is served at `/drift`. The status of a window with too few predictions is `insufficient_data`.
    """
    from football_assets.monitoring.drift import collect, examine
    from football_assets.monitoring.report import render, verdict_text
    from football_assets.monitoring.summary import REPORT, save_summary

    thresholds = DriftConfig.model_validate(config.model_dump())  # type: ignore[attr-defined]
    store = bucket.open()
    report = examine(collect(store, stg_matches, thresholds, datetime.now(UTC)), thresholds)
    pictures = _pictures(report)
    page = render(report, pictures)
    store.write(REPORT, page)
    save_summary(store, report.summary)
    context.log.info("%s %s", verdict_text(report.summary), " ".join(report.summary.reasons))
    for note in report.summary.feeds:
        context.log.warning("%s", note)
    return MaterializeResult(metadata=_report_metadata(report, pictures, len(page)))


def _pictures(report: "DriftReport") -> dict[str, bytes]:
    from football_assets.monitoring.plots import distances, live_results
    from football_assets.orchestration.figures import to_png

    pictures = {}
    if report.columns:
        pictures["Distance from the training reference"] = to_png(distances(report.columns), dpi=100)
    if report.tests:
        pictures["Results against forecasts, and log loss by week"] = to_png(
            live_results(report.results), dpi=100
        )
    return pictures


def _log_metadata(store: "Bucket", done: "Compaction", stg_matches: pl.DataFrame) -> dict[str, Any]:
    from datetime import timedelta

    from football_assets.monitoring.compaction import describe
    from football_assets.monitoring.results import (
        CUSTOM_HISTORIES,
        FIXTURE,
        GIVEN_ODDS,
        UNLISTED,
        forecasts_since,
        latest_of_each_match,
        live_scores,
        logged_days,
        rows_logged,
        scores_by,
    )

    now = datetime.now(UTC)
    days = logged_days(store)
    metadata: dict[str, Any] = {
        "dagster/row_count": rows_logged(store),
        "rows_added": done.rows,
        "segments": done.segments,
        "days": len(days),
        "problems": len(done.problems),
    }
    if days:
        metadata |= {"first_day": str(days[0].day), "last_day": str(days[-1].day)}
    if done.problems:
        metadata["what_was_odd"] = MetadataValue.md(as_markdown(describe(done.problems[:PROBLEMS_SHOWN])))
    since = now - timedelta(days=DriftConfig().results_days)
    forecasts = forecasts_since(store, stg_matches, since, now, columns=list(LOG_SCHEMA))
    for kind, name in (
        (FIXTURE, "matches_forecast"),
        (GIVEN_ODDS, "with_given_odds"),
        (CUSTOM_HISTORIES, "custom_histories"),
        (UNLISTED, "unlisted"),
    ):
        metadata[name] = forecasts.filter(pl.col("asked_about") == kind)["fixture"].n_unique()
    of_fixtures = forecasts.filter(pl.col("asked_about") == FIXTURE)
    live = live_scores(latest_of_each_match(of_fixtures))
    if live is not None:
        metadata |= {
            "live_log_loss": live.log_loss,
            "live_rps": live.rps,
            "live_calibration_error": live.ece,
        }
    if not forecasts.is_empty():
        by_version = scores_by(of_fixtures, "model_version", "version")
        metadata["by_version"] = MetadataValue.md(as_markdown(by_version))
        by_inputs = scores_by(latest_of_each_match(forecasts), "inputs", "inputs")
        metadata["by_inputs"] = MetadataValue.md(as_markdown(by_inputs))
    return metadata


def _report_metadata(report: "DriftReport", pictures: dict[str, bytes], size: int) -> dict[str, Any]:
    from football_assets.monitoring.report import apart_table, columns_table, quality_table, tests_table
    from football_assets.monitoring.summary import LATEST, REPORT

    summary = report.summary
    metadata: dict[str, Any] = {
        "status": summary.status,
        "reasons": MetadataValue.md("\n".join(f"- {reason}" for reason in summary.reasons) or "None."),
        "report": REPORT,
        "summary": LATEST,
        "bytes": size,
        "predictions": summary.predictions,
        "custom_histories": summary.custom_histories,
        "unlisted": summary.unlisted,
        "given_odds": summary.given_odds,
        "results": summary.results,
    }
    if summary.feeds:
        metadata["feeds"] = MetadataValue.md("\n".join(f"- {note}" for note in summary.feeds))
    figures = (
        "model_version",
        "model_age_days",
        "drift_share",
        "live_log_loss",
        "expected_log_loss",
        "calibration_error",
    )
    metadata |= {name: value for name in figures if (value := getattr(summary, name)) is not None}
    if summary.newest_result is not None:
        metadata["newest_result"] = str(summary.newest_result)
    for name, table in (
        ("columns", columns_table(report)),
        ("results_against_forecasts", tests_table(report)),
        ("data_quality", quality_table(report)),
        ("not_compared", apart_table(report)),
    ):
        if not table.is_empty():
            metadata[name] = MetadataValue.md(as_markdown(table))
    for caption, picture in pictures.items():
        name = caption.split(",")[0].lower().replace(" ", "_") + "_plot"
        metadata[name] = markdown_picture(picture, caption)
    return metadata


assets = [prediction_log, drift_report]
