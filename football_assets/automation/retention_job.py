"""`prune_storage`: the job that removes what the retention does not keep."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster import (
    Failure,
    MetadataValue,
    OpExecutionContext,
    in_process_executor,
    job,
    op,
)

from football_assets.orchestration.resources import BucketResource


@op(
    name="prune",
    description="Removes objects, runs and files beyond the limits FOOTBALL_RETENTION_* that nothing uses.",
)
def prune_op(context: OpExecutionContext, bucket: BucketResource) -> None:
    """Prune the bucket, the runs of this instance and the scratch folder of this machine.

    Fails at the end if an error kept some of a kind from being found or removed.
    """
    import polars as pl

    from football_assets.orchestration.run_history import InstanceRuns
    from football_assets.retention.policy import RetentionPolicy
    from football_assets.retention.pruning import World, prune
    from football_assets.settings import get_settings
    from football_assets.storage.tables import as_markdown

    settings = get_settings()
    world = World.of(settings, bucket.open(), Path(bucket.scratch), InstanceRuns(context.instance))
    pruned = prune(world, RetentionPolicy.of(settings), datetime.now(UTC), dry_run=False)
    for kind in pruned:
        context.log.info("%s: %d of %d removed. %s", kind.kind, kind.removed, kind.count, kind.note)
    metadata: dict[str, Any] = {
        "removed": sum(kind.removed for kind in pruned),
        "bytes": sum(kind.bytes for kind in pruned),
        "by_kind": MetadataValue.md(as_markdown(pl.DataFrame([asdict(kind) for kind in pruned]))),
    }
    failed = [f"{kind.kind}: {kind.note}" for kind in pruned if kind.has_failed]
    if failed:
        raise Failure(f"Not everything was pruned. {' '.join(failed)}", metadata=metadata)
    context.add_output_metadata(metadata)


@job(
    executor_def=in_process_executor,
    description="Removes old tables of the prediction log, artifacts, model versions, drift reports, runs and scratch "
    "files that nothing needs.",
)
def prune_storage() -> None:
    """Run the op alone."""
    prune_op()
