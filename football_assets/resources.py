"""Dagster resources that several stages use."""

import tempfile
from pathlib import Path

from dagster import ConfigurableResource
from pydantic import Field

from football_assets.bucket import Bucket, open_bucket


class BucketResource(ConfigurableResource):
    """The object store and the scratch folder of this process.

    Example
    -------
    >>> BucketResource(url="/tmp/bucket", scratch="/tmp/scratch").open().list("raw/")
    """

    url: str = Field(description="Folder of the bucket.")
    scratch: str = Field(description="Local folder for files that may be deleted at any time.")

    def open(self) -> Bucket:
        """Connect to the bucket."""
        return open_bucket(self.url)

    def scratch_folder(self, purpose: str) -> Path:
        """A fresh local folder, on the bucket's disk where that is local, so that results can be linked in."""
        root = Path(self.scratch)
        root.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=root))
