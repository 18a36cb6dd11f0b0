"""Parquet tables in the bucket: `tables/<name>.parquet`, or per partition `tables/<name>/<partition>.parquet`.

The tables up to `match_features` have one partition per country, `prediction_log` one per day. The module also formats
small tables as Markdown for the metadata of assets.
"""

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import TypeVar

import polars as pl

from football_assets.errors import ObjectNotFound
from football_assets.storage.bucket import Bucket, ObjectInfo

TABLES = "tables/"
_SEASON = re.compile(r"\d{4}(-\d{2})?")
_THREADS = 4  # that read or write objects at a time
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def write_partitions(bucket: Bucket, name: str, parts: Mapping[str, pl.DataFrame]) -> list[ObjectInfo]:
    """Replace some countries of a table.

    Objects of seasons, by which earlier versions stored the landed results, are removed: their rows are in the
    countries.
    """
    written = _in_threads(lambda country: write_table(bucket, name, parts[country], country), parts)
    for item in bucket.list(f"{TABLES}{name}/"):
        if _SEASON.fullmatch(partition_of(item)):
            bucket.delete(item.name)
    whole = table_object(name)  # where earlier versions stored all of the table
    if written and bucket.stat(whole) is not None:
        bucket.delete(whole)
    return written


def table_object(name: str, partition: str | None = None) -> str:
    """Return the name of the object that holds a table or one of its partitions."""
    return f"{TABLES}{name}.parquet" if partition is None else f"{TABLES}{name}/{partition}.parquet"


def table_objects(bucket: Bucket, name: str) -> list[ObjectInfo]:
    """List the objects that hold a table: one per partition, or the one that holds it as a whole."""
    partitions = list(bucket.list(f"{TABLES}{name}/"))
    whole = None if partitions else bucket.stat(table_object(name))
    return [whole] if whole is not None else partitions


def read_table(
    bucket: Bucket, name: str, *, columns: Sequence[str] | None = None, optional: Sequence[str] = ()
) -> pl.DataFrame:
    """Read a table, its partitions concatenated in order of their names.

    Parameters
    ----------
    columns
        Names of the columns to read; None reads all.
    optional
        Those of float64 that partitions of an earlier version may lack, where they are null.

    Raises
    ------
    ObjectNotFound
        The table was never written.
    """
    found = _read_objects(bucket, _existing_objects(bucket, name), columns, optional)
    return found.with_columns(
        pl.lit(None, pl.Float64).alias(column) for column in optional if column not in found
    )


def _existing_objects(bucket: Bucket, name: str) -> list[ObjectInfo]:
    objects = table_objects(bucket, name)
    if not objects:
        raise missing_table(bucket, name)
    return objects


def _read_objects(
    bucket: Bucket,
    objects: Iterable[ObjectInfo],
    columns: Sequence[str] | None,
    optional: Sequence[str] = (),
) -> pl.DataFrame:
    parts = _in_threads(lambda item: read_table_object(bucket, item.name, columns, optional), objects)
    return pl.concat(parts, how="diagonal_relaxed")


def read_table_of(
    bucket: Bucket, name: str, partitions: Sequence[str], columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """Read some partitions of a table; those that it lacks have no row.

    Raises
    ------
    ObjectNotFound
        The table was never written.
    """
    objects = _existing_objects(bucket, name)
    wanted = [item for item in objects if partition_of(item) in partitions]
    if not wanted:
        return read_table_object(bucket, objects[0].name, columns).clear()
    return _read_objects(bucket, wanted, columns)


def missing_table(bucket: Bucket, name: str, partition: str | None = None) -> ObjectNotFound:
    """Return the error for a table, or a partition of it, that was never written."""
    of_partition = f" of {partition!r}" if partition else ""
    return ObjectNotFound(
        f"Table {name!r}{of_partition} is not in bucket {bucket.url}: materialize the asset {name!r}{of_partition} "
        "first."
    )


def _in_threads(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(work, items))


def write_table(bucket: Bucket, name: str, frame: pl.DataFrame, partition: str | None = None) -> ObjectInfo:
    """Replace a table, or one of its partitions, as a whole."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1)
    return bucket.write(table_object(name, partition), buffer.getvalue())


def partition_of(item: ObjectInfo) -> str:
    """Return the partition of a table that an object holds."""
    return PurePosixPath(item.name).stem


def latest_partition(bucket: Bucket, name: str) -> str:
    """Return the partition of a table that was written last.

    Raises
    ------
    ObjectNotFound
        The table was never written.
    """
    objects = list(bucket.list(f"{TABLES}{name}/"))
    if not objects:
        raise missing_table(bucket, name)
    return partition_of(max(objects, key=lambda item: (item.updated, item.name)))


def as_markdown(frame: pl.DataFrame) -> str:
    """Format all rows and columns of a small frame as a Markdown table; nulls are blank."""
    if frame.is_empty():
        return "None."
    cells = frame.select(
        pl.all()
        .cast(pl.String)
        .fill_null("")
        .str.replace_all("|", r"\|", literal=True)
        .str.replace_all(r"\s+", " ")
    )
    rows = [" | ".join(row) for row in cells.iter_rows()]
    return "\n".join(
        f"| {row} |" for row in [" | ".join(frame.columns), " | ".join(["---"] * frame.width), *rows]
    )


def read_table_object(
    bucket: Bucket, name: str, columns: Sequence[str] | None = None, optional: Sequence[str] = ()
) -> pl.DataFrame:
    """Read one object of a table, or some columns of it; those of `optional` only if it has them.

    Raises
    ------
    ObjectNotFound
        It was removed since it was listed.
    """
    path = bucket.local_path(name)
    try:
        source = path if path is not None else io.BytesIO(bucket.read(name))
        if columns is not None and optional:
            present = pl.read_parquet_schema(source)
            columns = [column for column in columns if column in present or column not in optional]
        return pl.read_parquet(
            source,
            columns=list(columns) if columns is not None else None,
            hive_partitioning=False,
        )
    except FileNotFoundError as error:
        raise ObjectNotFound(
            f"Object {name!r} was removed from bucket {bucket.url} while it was being read: try again."
        ) from error
