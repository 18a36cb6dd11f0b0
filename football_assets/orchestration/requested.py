"""When a run was requested, and which materializations have been made since: another run may have done its work."""

from dagster import AssetKey, DagsterInstance, DagsterRun, EventLogEntry

from football_assets.orchestration.dagster_private import BACKFILL_ID_TAG


def requested_at(instance: DagsterInstance, run: DagsterRun) -> float:
    """Return when a run, or the backfill that it belongs to, was requested, in Unix seconds.

    A backfill creates the runs of later assets when those of earlier ones have ended.
    """
    backfill = instance.get_backfill(run.tags[BACKFILL_ID_TAG]) if BACKFILL_ID_TAG in run.tags else None
    if backfill is not None:
        return float(backfill.backfill_timestamp)
    record = instance.get_run_record_by_id(run.run_id)
    assert record is not None
    return record.create_timestamp.timestamp()


def materialized_since_request(
    instance: DagsterInstance, run: DagsterRun, key: AssetKey
) -> EventLogEntry | None:
    """Return the latest materialization of an asset if another run made it after this one was requested."""
    event = instance.get_latest_materialization_event(key)
    if event is None or event.run_id == run.run_id or event.timestamp <= requested_at(instance, run):
        return None
    return event
