"""Dagster resources that several stages use: the bucket, and what it is reached with."""

import tempfile
from pathlib import Path

from dagster import ConfigurableResource
from pydantic import Field

from football_assets.settings import Settings
from football_assets.storage.bucket import GCS_SCHEME, Bucket
from football_assets.storage.opening import open_bucket


class BucketResource(ConfigurableResource):
    """The object store and the scratch folder of this process.

    Example
    -------
    >>> BucketResource(url="/tmp/bucket", scratch="/tmp/scratch").open().list("raw/")
    """

    url: str = Field(description="Folder of the bucket, or gs://bucket/prefix.")
    scratch: str = Field(description="Local folder for files that may be deleted at any time.")

    def open(self) -> Bucket:
        """Connect to the bucket."""
        return open_bucket(self.url)

    def scratch_folder(self, purpose: str) -> Path:
        """Create a local folder, on the bucket's disk if that is local, so that results can be linked in."""
        root = Path(self.scratch)
        root.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=root))


def bucket_resources(settings: Settings) -> tuple[BucketResource, dict[str, ConfigurableResource]]:
    """Return the bucket of the settings, and the resources that it requires, by key."""
    scratch = str(settings.scratch)
    if not settings.bucket_url.startswith(GCS_SCHEME):
        return BucketResource(url=settings.bucket_url, scratch=scratch), {}
    from football_assets.orchestration.gcs_resource import (  # seconds, and pandas with it
        GcsBucketResource,
        GCSResource,
    )

    gcs = GCSResource()
    return GcsBucketResource(url=settings.bucket_url, scratch=scratch, gcs=gcs), {"gcs": gcs}
