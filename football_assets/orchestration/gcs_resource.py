"""The bucket in Google Cloud Storage as a Dagster resource, reached with the client of dagster-gcp's `GCSResource`."""

from dagster import ResourceDependency
from dagster_gcp import GCSResource
from pydantic import PrivateAttr

from football_assets.orchestration.resources import BucketResource
from football_assets.storage.bucket import Bucket
from football_assets.storage.gcs import GcsBucket


class GcsBucketResource(BucketResource):
    """A bucket at `gs://bucket/prefix`.

    Example
    -------
    >>> GcsBucketResource(url="gs://matches/football", scratch="/tmp/scratch", gcs=GCSResource()).open()
    """

    gcs: ResourceDependency[GCSResource]
    _bucket: GcsBucket | None = PrivateAttr(default=None)

    def open(self) -> Bucket:
        """Connect to the bucket, once per process."""
        if self._bucket is None:
            self._bucket = GcsBucket(self.url, self.gcs.get_client)
        return self._bucket
