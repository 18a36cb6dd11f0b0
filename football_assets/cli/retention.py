"""`football prune`: remove objects, runs and files beyond their retention limits."""

from typing import TYPE_CHECKING

import click

from football_assets.cli.context import open_registry, prepare_command_home
from football_assets.cli.options import home_option

if TYPE_CHECKING:
    from football_assets.retention.removal import PrunedKind

_UNITS = ("B", "kB", "MB", "GB", "TB")


@click.command("prune")
@home_option
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
def prune_command(dry_run: bool) -> None:
    """Remove objects, runs and files that are beyond the limits FOOTBALL_RETENTION_* and not in use.

    Removes tables of the prediction log, artifacts, model versions, drift reports, Dagster's runs and scratch files.
    Nothing that an alias, a running replica or an object below sealed/ needs is removed.
    """
    settings = prepare_command_home()
    registry = open_registry(settings)
    from datetime import UTC, datetime

    from dagster import DagsterInstance

    from football_assets.cli.tables import results_console, rows_table
    from football_assets.deployment.served_versions import served_versions
    from football_assets.orchestration.run_history import InstanceRuns
    from football_assets.retention.policy import RetentionPolicy
    from football_assets.retention.pruning import World, prune

    with DagsterInstance.get() as instance:
        world = World(
            registry.bucket,
            settings.scratch,
            lambda: served_versions(settings, registry),
            InstanceRuns(instance),
        )
        pruned = prune(world, RetentionPolicy.of(settings), datetime.now(UTC), dry_run=dry_run)
    columns = ("kind", "found", "removed", "size", "oldest", "why", "note")
    title = "Would be removed" if dry_run else "Removed"
    results_console().print(rows_table(columns, map(_row, pruned), title))


def _row(kind: "PrunedKind") -> tuple[str, ...]:
    oldest = f"{kind.oldest:%Y-%m-%d}" if kind.oldest else ""
    return (kind.kind, f"{kind.count:,}", f"{kind.removed:,}", _size(kind.bytes), oldest, kind.why, kind.note)


def _size(count: float) -> str:
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            break
        count /= 1000
    return f"{count:.0f} {unit}" if count else ""
