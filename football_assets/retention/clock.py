"""The clock of a bucket, which a pruning compares with that of its own machine."""

from datetime import datetime, timedelta

from football_assets.errors import FootballError
from football_assets.storage.bucket import Bucket

CLOCK_OBJECT = "retention/clock"
AHEAD = timedelta(days=1)
"""How far the clock of a machine that prunes may be ahead of the bucket's."""


def bucket_clock(bucket: Bucket) -> datetime:
    """Write an empty object and return when the bucket says that it was written, UTC.

    Google Cloud Storage and a file server have clocks of their own. A folder on a disk of this machine has the clock of
    this machine. The object is empty so that it can be written on a full disk.

    Raises
    ------
    BucketError
    """
    return bucket.write(CLOCK_OBJECT, b"").updated


def check_clock(bucket: Bucket, there: datetime, now: datetime) -> None:
    """Reject a clock by which everything in the bucket seems older than it is; one that is behind removes less.

    Raises
    ------
    FootballError
        This machine's clock is ahead of the bucket's by more than AHEAD.
    """
    if now - there > AHEAD:
        raise FootballError(
            f"Nothing was removed: the clock of this machine says {now:%Y-%m-%d %H:%M} UTC, that of {bucket.url} "
            f"{there:%Y-%m-%d %H:%M} UTC. Set this machine's clock right and prune again."
        )
