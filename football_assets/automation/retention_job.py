"""`prune_storage`: the job that removes what the retention does not keep."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from dagster import MetadataValue, OpExecutionContext, in_process_executor, job, op

from football_assets.orchestration.resources import BucketResource


@op(
    name="prune",
    description="Removes objects, runs and files beyond the limits FOOTBALL_RETENTION_* that nothing uses.",
)
def prune_op(context: OpExecutionContext, bucket: BucketResource) -> None:
    """Prune the bucket, the runs of this instance and the scratch folder of this machine."""
    import polars as pl

    from football_assets.deployment.served_versions import served_versions
    from football_assets.orchestration.run_history import InstanceRuns
    from football_assets.registry.store import Registry
    from football_assets.retention.policy import RetentionPolicy
    from football_assets.retention.pruning import World, prune
    from football_assets.settings import get_settings
    from football_assets.storage.tables import as_markdown

    settings, store = get_settings(), bucket.open()
    registry = Registry(store)
    world = World(
        store,
        Path(bucket.scratch),
        lambda: served_versions(settings, registry),
        InstanceRuns(context.instance),
    )
    pruned = prune(world, RetentionPolicy.of(settings), datetime.now(UTC), dry_run=False)
    for kind in pruned:
        context.log.info("%s: %d of %d removed. %s", kind.kind, kind.removed, kind.count, kind.note)
    context.add_output_metadata(
        {
            "removed": sum(kind.removed for kind in pruned),
            "bytes": sum(kind.bytes for kind in pruned),
            "by_kind": MetadataValue.md(as_markdown(pl.DataFrame([asdict(kind) for kind in pruned]))),
        }
    )


@job(
    executor_def=in_process_executor,
    description="Removes old tables of the prediction log, artifacts, model versions, drift reports, runs and scratch "
    "files that nothing needs.",
)
def prune_storage() -> None:
    """Run the op alone."""
    prune_op()
