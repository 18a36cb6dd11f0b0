"""`football restore`: the objects of the bucket as they were at some time."""

from datetime import datetime

import click

from football_assets.cli.context import prepare_command_home
from football_assets.cli.options import home_option


@click.command("restore")
@home_option
@click.option(
    "--at",
    required=True,
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"]),
    metavar="TIME",
    help="Time in RFC 3339 with its offset, such as 2026-11-29T18:00:00Z: objects get the version that was live then.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be restored.")
def restore_command(at: datetime, dry_run: bool) -> None:
    """Restore deleted and overwritten objects of a bucket in Google Cloud Storage from their versions.

    Objects that were created later are kept. docs/how-to/restore.md has the steps before and after.
    """
    settings = prepare_command_home()
    from football_assets.errors import BucketError
    from football_assets.storage.gcs import GcsBucket
    from football_assets.storage.opening import open_bucket

    bucket = open_bucket(settings.bucket_url)
    if not isinstance(bucket, GcsBucket):
        raise BucketError(
            f"{bucket.url} is a folder, which keeps no versions: copy a backup of it back. `restore` is for gs:// "
            "buckets."
        )
    count = size = 0
    for item in bucket.restore(at, dry_run=dry_run):
        click.echo(f"{item.name}\t{item.written.isoformat()}\t{'replaced' if item.changed else 'deleted'}")
        count, size = count + 1, size + item.size
    click.echo(
        f"{count:,} objects with {size:,} bytes {'would be' if dry_run else 'were'} restored in {bucket.url}.",
        err=True,
    )
