"""IO managers of the bucket: tables as Parquet (`tables`), folders of files as artifacts (`folders`)."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from dagster import ConfigurableIOManager, InputContext, OutputContext, ResourceDependency

from football_assets.orchestration.resources import BucketResource
from football_assets.storage.artifacts import fetch, publish
from football_assets.storage.tables import read_table, write_partitions, write_table

DIGEST = "digest"
"""Metadata key of an artifact's materialization: the digest of its content."""


class TableIOManager(ConfigurableIOManager):
    """Stores Polars frames as Parquet tables.

    An asset without partitions returns a frame. A partitioned asset returns a mapping from partition keys to frames:
    these partitions are replaced, and the others of the table stay.
    """

    bucket: ResourceDependency[BucketResource]

    def handle_output(self, context: OutputContext, obj: pl.DataFrame | Mapping[str, pl.DataFrame]) -> None:
        """Write the table or its partitions and add their number and size in bytes to the metadata."""
        bucket = self.bucket.open()
        name = context.asset_key.path[-1]
        if isinstance(obj, pl.DataFrame):
            info = write_table(bucket, name, obj)
            context.add_output_metadata({"object": info.name, "bytes": info.size})
            return
        written = write_partitions(bucket, name, obj)
        context.add_output_metadata({"objects": len(written), "bytes": sum(item.size for item in written)})

    def load_input(self, context: InputContext) -> pl.DataFrame:
        """Read the whole table."""
        return read_table(self.bucket.open(), context.asset_key.path[-1])


class FolderIOManager(ConfigurableIOManager):
    """Stores folders of files as immutable artifacts. The folder that an asset returns is consumed."""

    bucket: ResourceDependency[BucketResource]

    def handle_output(self, context: OutputContext, obj: Path) -> None:
        """Publish the folder, delete it, and add the digest and the size in bytes to the metadata."""
        digest = publish(self.bucket.open(), context.asset_key.path[-1], obj)
        size = sum(path.stat().st_size for path in obj.rglob("*") if path.is_file())
        shutil.rmtree(obj)
        context.add_output_metadata({DIGEST: digest, "bytes": size})

    def load_input(self, context: InputContext) -> Path:
        """Fetch the newest artifact into the scratch folder; the folder is named after its digest."""
        return fetch(self.bucket.open(), context.asset_key.path[-1], Path(self.bucket.scratch))
