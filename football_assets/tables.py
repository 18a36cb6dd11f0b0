"""Parquet tables in the bucket: `tables/<name>.parquet`, or one a partition, `tables/<name>/<partition>.parquet`."""

import io

import polars as pl

from football_assets.bucket import Bucket, ObjectInfo
from football_assets.errors import ObjectNotFound

TABLES = "tables/"


def table_object(name: str, partition: str | None = None) -> str:
    """Object that holds a table or one of its partitions."""
    return f"{TABLES}{name}.parquet" if partition is None else f"{TABLES}{name}/{partition}.parquet"


def table_objects(bucket: Bucket, name: str) -> list[ObjectInfo]:
    """Objects that hold a table: one, or one a partition."""
    whole = bucket.stat(table_object(name))
    return [whole] if whole is not None else list(bucket.list(f"{TABLES}{name}/"))


def read_table(bucket: Bucket, name: str, *, only: set[str] | None = None) -> pl.DataFrame:
    """A table, its partitions concatenated in order of their names.

    Parameters
    ----------
    only
        Names of the partitions' objects to read; None reads all.

    Raises
    ------
    ObjectNotFound
        The table was never written.
    """
    objects = [item for item in table_objects(bucket, name) if only is None or item.name in only]
    if not objects:
        raise ObjectNotFound(
            f"Table {name!r} is not in bucket {bucket.url}: materialise the asset {name!r} first."
        )
    return pl.concat([_read(bucket, item.name) for item in objects], how="diagonal_relaxed")


def write_table(bucket: Bucket, name: str, frame: pl.DataFrame, partition: str | None = None) -> ObjectInfo:
    """Replace a table, or one of its partitions, as a whole."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return bucket.write(table_object(name, partition), buffer.getvalue())


def _read(bucket: Bucket, name: str) -> pl.DataFrame:
    path = bucket.local_path(name)
    return pl.read_parquet(
        path if path is not None else io.BytesIO(bucket.read(name)), hive_partitioning=False
    )
