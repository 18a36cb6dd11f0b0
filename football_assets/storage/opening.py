"""Open the bucket that a URL names: the one place that knows every kind of bucket."""

from pathlib import Path

from football_assets.errors import BucketError
from football_assets.storage.bucket import GCS_SCHEME, Bucket
from football_assets.storage.local import LocalBucket


def open_bucket(url: str) -> Bucket:
    """Open the bucket at a local folder or at `gs://bucket/prefix`.

    Google Cloud Storage takes the application default credentials; STORAGE_EMULATOR_HOST, where set, is its server.

    Raises
    ------
    BucketError
        The URL's scheme is not supported, the folder cannot be created, or there are no credentials.
    """
    if url.startswith(GCS_SCHEME):
        from football_assets.storage.gcs import (
            GcsBucket,  # its client takes as long to load as all of this package
        )

        return GcsBucket(url)
    if "://" in url and not url.startswith("file://"):
        raise BucketError(
            f"Bucket {url!r} is not supported: set FOOTBALL_BUCKET to a local folder or gs://bucket/prefix."
        )
    return LocalBucket(Path(url.removeprefix("file://")))
