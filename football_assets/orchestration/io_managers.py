"""How assets reach the bucket: tables as Parquet (`tables`), folders of files as artefacts (`folders`)."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from dagster import ConfigurableIOManager, InputContext, OutputContext, ResourceDependency

from football_assets.orchestration.resources import BucketResource
from football_assets.storage.artifacts import fetch, publish
from football_assets.storage.tables import (
    CountryTable,
    read_table,
    table_object,
    write_country_table,
    write_partitions,
    write_table,
)


class TableIOManager(ConfigurableIOManager):
    """Polars frames as Parquet tables: of a partitioned asset a frame a country, otherwise one frame.

    Countries of the run that the asset gives no frame of stay as they are. Of a `CountryTable`
    the countries that it has rows of are written.
    """

    bucket: ResourceDependency[BucketResource]

    def handle_output(
        self, context: OutputContext, obj: pl.DataFrame | CountryTable | Mapping[str, pl.DataFrame]
    ) -> None:
        bucket = self.bucket.open()
        name = context.asset_key.path[-1]
        if isinstance(obj, Mapping):
            parts = write_partitions(bucket, name, obj)
            context.add_output_metadata({"objects": len(parts), "bytes": sum(item.size for item in parts)})
            return
        if isinstance(obj, CountryTable):
            objects = write_country_table(bucket, name, obj)
            context.add_output_metadata(
                {"objects": len(objects), "bytes": sum(item.size for item in objects)}
            )
            return
        info = write_table(bucket, name, obj)
        context.add_output_metadata({"object": info.name, "bytes": info.size})

    def load_input(self, context: InputContext) -> pl.DataFrame:
        bucket = self.bucket.open()
        name = context.asset_key.path[-1]
        if bucket.stat(table_object(name)) is None and context.has_asset_partitions:
            wanted = {table_object(name, key) for key in context.asset_partition_keys}
            return read_table(bucket, name, only=wanted)
        return read_table(bucket, name)


class FolderIOManager(ConfigurableIOManager):
    """Folders of files as immutable artefacts. The folder that an asset returns is consumed."""

    bucket: ResourceDependency[BucketResource]

    def handle_output(self, context: OutputContext, obj: Path) -> None:
        digest = publish(self.bucket.open(), context.asset_key.path[-1], obj)
        size = sum(path.stat().st_size for path in obj.rglob("*") if path.is_file())
        shutil.rmtree(obj)
        context.add_output_metadata({"digest": digest, "bytes": size})

    def load_input(self, context: InputContext) -> Path:
        return fetch(self.bucket.open(), context.asset_key.path[-1], Path(self.bucket.scratch))
