"""Asset checks of `prediction_log` and `drift_report`."""

from collections.abc import Iterator

import polars as pl
from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    MetadataValue,
    asset_check,
    multi_asset_check,
)

from football_assets.errors import FootballError
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.tables import as_markdown

_DESCRIPTIONS = {
    "inputs": "Inputs and forecasts are distributed as in training, for the same leagues and phases of the season.",
    "quality": "Missing and out-of-range values are as frequent as in training; forecasts are probabilities.",
    "outcomes": "Goals, home advantage and outcome frequencies agree with the forecasts.",
    "scores": "The live log loss agrees with its expectation under the forecasts.",
}
_NAMES = {
    "inputs": "inputs_are_as_in_training",
    "quality": "inputs_are_sound",
    "outcomes": "outcomes_are_as_forecast",
    "scores": "live_scores_are_as_expected",
}


@asset_check(
    asset="prediction_log",
    description="No line of a segment is in the tables twice.",
)
def every_prediction_is_logged_once(bucket: BucketResource) -> AssetCheckResult:
    """Test the segment and line of every row, one day at a time."""
    from football_assets.monitoring.log_tables import count_repeated
    from football_assets.monitoring.results import logged_days

    store = bucket.open()
    rows = repeated = 0
    for item in logged_days(store):
        of_day, twice = count_repeated(store, item.object)
        rows += of_day
        repeated += twice
    return AssetCheckResult(passed=repeated == 0, metadata={"rows": rows, "repeated": repeated})


@multi_asset_check(
    name="check_drift_report",
    specs=[
        AssetCheckSpec(_NAMES[area], asset="drift_report", description=text)
        for area, text in _DESCRIPTIONS.items()
    ],
    can_subset=True,
)
def check_drift_report(
    context: AssetCheckExecutionContext, bucket: BucketResource
) -> Iterator[AssetCheckResult]:
    """Return the verdicts of the latest report. Insufficient data passes, with a note."""
    from football_assets.monitoring.summary import AREAS, load_summary

    summary = load_summary(bucket.open())
    if summary is None:
        raise FootballError("There is no drift report yet: materialize 'drift_report' first.")
    selected = {key.name for key in context.selected_asset_check_keys}
    thresholds = pl.DataFrame(list(summary.thresholds.items()), schema=["threshold", "value"], orient="row")
    for area in AREAS:
        if _NAMES[area] in selected:
            finding = summary.finding(area)
            yield AssetCheckResult(
                asset_key="drift_report",
                check_name=_NAMES[area],
                passed=not finding.drifted,
                severity=AssetCheckSeverity.WARN,
                description=finding.note,
                metadata={
                    "verdict": "insufficient_data"
                    if finding.drifted is None
                    else "drift"
                    if finding.drifted
                    else "ok",
                    "predictions": summary.predictions,
                    "results": summary.results,
                    "thresholds": MetadataValue.md(as_markdown(thresholds)),
                },
            )


checks = [every_prediction_is_logged_once, check_drift_report]
