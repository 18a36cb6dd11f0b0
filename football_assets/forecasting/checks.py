"""Asset checks of `fixture_predictions`."""

import polars as pl
from dagster import AssetCheckResult, MetadataValue, asset_check

from football_assets.forecasting.quality import (
    PLAYED_READ,
    forecasts_out_of_range,
    unplayed_without_forecast,
)
from football_assets.orchestration.metadata import PREVIEW_ROWS
from football_assets.orchestration.resources import BucketResource
from football_assets.registry.store import Registry
from football_assets.storage.tables import as_markdown, read_table


@asset_check(
    asset="fixture_predictions",
    description="Probabilities are between 0 and 1 and sum to one; expected goals are finite and above zero.",
)
def forecasts_are_probabilities(fixture_predictions: pl.DataFrame) -> AssetCheckResult:
    """Test every row."""
    broken = forecasts_out_of_range(fixture_predictions)
    return AssetCheckResult(
        passed=broken.is_empty(),
        metadata={
            "rows": fixture_predictions.height,
            "broken": broken.height,
            "examples": MetadataValue.md(as_markdown(broken.head(PREVIEW_ROWS))),
        },
    )


@asset_check(
    asset="fixture_predictions",
    description="Every match without a result has exactly one forecast, by the version in production.",
)
def every_fixture_has_a_forecast(
    fixture_predictions: pl.DataFrame, bucket: BucketResource
) -> AssetCheckResult:
    """Compare the forecasts with `stg_matches` and the registry."""
    store = bucket.open()
    missing = unplayed_without_forecast(
        fixture_predictions, read_table(store, "stg_matches", columns=PLAYED_READ)
    )
    production = Registry(store).aliases().get("production")
    versions = fixture_predictions["model_version"].unique().to_list()
    unique = fixture_predictions["match_id"].is_unique().all()
    return AssetCheckResult(
        passed=missing.is_empty() and unique and versions in ([], [production]),
        metadata={
            "forecasts": fixture_predictions.height,
            "missing": missing.height,
            "model_versions": ", ".join(str(version) for version in versions),
            "examples": MetadataValue.md(as_markdown(missing.head(PREVIEW_ROWS))),
        },
    )


checks = [forecasts_are_probabilities, every_fixture_has_a_forecast]
