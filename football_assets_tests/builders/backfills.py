"""Backfills in a Dagster instance, as the UI's dialog stores them."""

import time
import uuid
from collections.abc import Sequence

from dagster import AssetKey, DagsterInstance

from football_assets_tests.builders.dagster_private import BulkActionStatus, PartitionBackfill


def add_backfill(
    instance: DagsterInstance, *assets: str, status: str = "REQUESTED", keys: Sequence[AssetKey] | None = ()
) -> str:
    """Store a backfill of assets and return its id; with `keys=None`, one without an asset selection."""
    backfill = PartitionBackfill(
        backfill_id=uuid.uuid4().hex[:8],
        status=BulkActionStatus(status),
        from_failure=False,
        tags={},
        backfill_timestamp=time.time(),
        asset_selection=None if keys is None else [*keys, *map(AssetKey, assets)],
    )
    instance.add_backfill(backfill)
    return backfill.backfill_id


def end_backfill(instance: DagsterInstance, backfill_id: str, status: str = "COMPLETED_SUCCESS") -> None:
    """Give a backfill its final status."""
    backfill = instance.get_backfill(backfill_id)
    assert backfill is not None
    instance.update_backfill(backfill.with_status(BulkActionStatus(status)))
