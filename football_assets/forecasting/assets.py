"""`fixture_predictions`: forecasts of all unplayed matches by the production model."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, TableColumn, TableSchema, asset

from football_assets.forecasting.schema import FIXTURE_DESCRIPTIONS, FIXTURE_SCHEMA
from football_assets.orchestration.code_versions import FIXTURE_PREDICTIONS_CODE
from football_assets.orchestration.metadata import OWNERS
from football_assets.orchestration.resources import BucketResource
from football_assets.sequences.columns import columns_read
from football_assets.sequences.fixture_days import OVERDUE

GROUP = "forecasting"

_COLUMNS = TableSchema(
    columns=[
        TableColumn(name, str(dtype), description=FIXTURE_DESCRIPTIONS[name])
        for name, dtype in FIXTURE_SCHEMA.items()
    ]
)


@asset(
    deps=["registered_model", "stg_matches", *columns_read()],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"onnxruntime", "parquet"},
    tags={"grain": "match"},
    code_version=FIXTURE_PREDICTIONS_CODE,
    io_manager_key="tables",
    metadata={"dagster/column_schema": _COLUMNS},
)
def fixture_predictions(
    context: AssetExecutionContext, bucket: BucketResource
) -> MaterializeResult[pl.DataFrame]:
    """One row per fixture without a result: probabilities, expected goals and likeliest scores by the production model.

    Fails with the gate's reasons if no version is in production.
    """
    from football_assets.forecasting.fixtures import forecast_fixtures, production_bundle
    from football_assets.registry.store import Registry

    store = bucket.open()
    version, bundle = production_bundle(Registry(store), Path(bucket.scratch))
    forecasts = forecast_fixtures(bundle, version, store, datetime.now(UTC).date())
    context.log.info("%d fixtures forecast by model version %d", forecasts.height, version)
    return MaterializeResult(value=forecasts, metadata=_metadata(forecasts, version))


def _metadata(forecasts: pl.DataFrame, version: int) -> dict[str, Any]:
    from football_assets.forecasting.fixtures import next_fixtures_text

    metadata: dict[str, Any] = {
        "dagster/row_count": forecasts.height,
        "model_version": version,
        "leagues": forecasts["league_id"].n_unique(),
        "overdue": int(forecasts[OVERDUE].sum()),
        "next_fixtures": MetadataValue.md(next_fixtures_text(forecasts)),
    }
    if forecasts.height:
        metadata["first_kickoff"] = str(forecasts["kickoff_date"].min())
        metadata["last_kickoff"] = str(forecasts["kickoff_date"].max())
    return metadata


assets = [fixture_predictions]
