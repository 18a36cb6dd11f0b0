"""`football prune`: remove objects, runs and files beyond their retention limits."""

from typing import TYPE_CHECKING

import click

from football_assets.cli.context import prepare_command_home
from football_assets.cli.exit_codes import EXIT_FAILURE
from football_assets.cli.options import home_option

if TYPE_CHECKING:
    from football_assets.retention.removal import PrunedKind

_UNITS = ("B", "kB", "MB", "GB", "TB")


@click.command("prune")
@home_option
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
def prune_command(dry_run: bool) -> int:
    """Remove objects, runs and files that are beyond the limits FOOTBALL_RETENTION_* and not in use.

    Removes tables of the prediction log, artifacts, model versions, drift reports, Dagster's runs and scratch files.
    Nothing that an alias, a running replica or an object below sealed/ needs is removed.

    Exits with 1 if a kind could not be pruned completely, for example because Dagster's database failed. The other
    kinds are still pruned.
    """
    settings = prepare_command_home()
    from datetime import UTC, datetime

    from football_assets.cli.tables import results_console, rows_table
    from football_assets.orchestration.run_history import open_runs
    from football_assets.retention.policy import RetentionPolicy
    from football_assets.retention.pruning import World, prune
    from football_assets.storage.opening import open_bucket

    with open_runs() as runs:
        world = World.of(settings, open_bucket(settings.bucket_url), settings.scratch, runs)
        pruned = prune(world, RetentionPolicy.of(settings), datetime.now(UTC), dry_run=dry_run)
    columns = ("kind", "found", "removed", "size", "oldest", "why", "note")
    title = "Would be removed" if dry_run else "Removed"
    results_console().print(rows_table(columns, map(_row, pruned), title))
    failed = [kind for kind in pruned if kind.has_failed]
    for kind in failed:
        click.echo(f"football: {kind.kind}: {kind.note}", err=True)
    return EXIT_FAILURE if failed else 0


def _row(kind: "PrunedKind") -> tuple[str, ...]:
    oldest = f"{kind.oldest:%Y-%m-%d}" if kind.oldest else ""
    return (kind.kind, f"{kind.count:,}", f"{kind.removed:,}", _size(kind.bytes), oldest, kind.why, kind.note)


def _size(count: float) -> str:
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            break
        count /= 1000
    return f"{count:.0f} {unit}" if count else ""
