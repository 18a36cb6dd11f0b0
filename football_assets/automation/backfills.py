"""Backfills in progress, which sensors wait for before they request runs of the same assets.

A backfill launches its runs one after another. Between two of them no run is queued or running, so `run_under_way`
alone does not see it.
"""

from collections.abc import Set

from dagster import AssetKey, DagsterInstance

from football_assets.automation.attempts import run_under_way

RECENT_BACKFILLS = 50  # read per tick, the newest first
IN_PROGRESS = frozenset({"REQUESTED", "CANCELING", "FAILING"})  # values of Dagster's BulkActionStatus
"""Statuses in which a backfill may still launch runs or wait for some."""


def backfill_in_progress(instance: DagsterInstance, keys: Set[AssetKey]) -> str | None:
    """Return the id of a backfill in progress that materializes one of the assets, or None.

    A backfill without an asset selection is one of a partitioned job and counts for every asset.
    """
    for backfill in instance.get_backfills(limit=RECENT_BACKFILLS):
        if backfill.status.value in IN_PROGRESS:
            selection = backfill.asset_selection
            if selection is None or not keys.isdisjoint(selection):
                return str(backfill.backfill_id)
    return None


def work_in_progress(
    instance: DagsterInstance, keys: Set[AssetKey], now: float, sensor_name: str
) -> str | None:
    """Name a run or a backfill in progress that materializes one of the assets, whatever launched it.

    Parameters
    ----------
    keys
        Assets that the sensor is about to request runs of.
    now
        Unix time, seconds.
    sensor_name
        The sensor that asks. A run that it requested and that never started does not count.

    Returns
    -------
    str or None
        `run <id>` or `backfill <id>`, for the reason of a skipped tick.
    """
    run = run_under_way(instance, keys, now, sensor_name)
    if run is not None:
        return f"run {run.run_id}"
    backfill = backfill_in_progress(instance, keys)
    return f"backfill {backfill}" if backfill is not None else None
