"""Parquet tables in the bucket: `tables/<name>.parquet`, or one a partition, `tables/<name>/<partition>.parquet`.

And what a person sees of them: Markdown, for the metadata of assets.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from football_assets.bucket import Bucket, ObjectInfo
from football_assets.errors import ObjectNotFound
from football_assets.increments import footer, made_from

TABLES = "tables/"


@dataclass(frozen=True)
class MadeTable:
    """A table, and what each country's rows were made from: keys of `increments.country_keys`."""

    frame: pl.DataFrame
    made_from: Mapping[str, str]


def table_object(name: str, partition: str | None = None) -> str:
    """Object that holds a table or one of its partitions."""
    return f"{TABLES}{name}.parquet" if partition is None else f"{TABLES}{name}/{partition}.parquet"


def table_objects(bucket: Bucket, name: str) -> list[ObjectInfo]:
    """Objects that hold a table: one, or one a partition."""
    whole = bucket.stat(table_object(name))
    return [whole] if whole is not None else list(bucket.list(f"{TABLES}{name}/"))


def read_table(
    bucket: Bucket, name: str, *, only: set[str] | None = None, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """A table, its partitions concatenated in order of their names.

    Parameters
    ----------
    only
        Names of the partitions' objects to read; None reads all.
    columns
        Names of the columns to read; None reads all.

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
    return pl.concat(
        [read_table_object(bucket, item.name, columns) for item in objects], how="diagonal_relaxed"
    )


def write_table(
    bucket: Bucket,
    name: str,
    frame: pl.DataFrame,
    partition: str | None = None,
    made_from: Mapping[str, str] | None = None,
) -> ObjectInfo:
    """Replace a table, or one of its partitions, as a whole. `made_from` goes into the footer of its file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", metadata=footer(made_from) if made_from else None)
    return bucket.write(table_object(name, partition), buffer.getvalue())


def read_made_table(bucket: Bucket, name: str) -> MadeTable | None:
    """A table as it is, where it says what it was made from, read at once: nobody can replace it in between."""
    if bucket.stat(table_object(name)) is None:
        return None
    data = bucket.read(table_object(name))
    noted = made_from(data)
    return MadeTable(pl.read_parquet(io.BytesIO(data)), noted) if noted else None


def as_markdown(frame: pl.DataFrame) -> str:
    """All rows and columns of a small frame; nulls are blank."""
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


def read_table_object(bucket: Bucket, name: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """One object of a table, or some columns of it."""
    path = bucket.local_path(name)
    return pl.read_parquet(
        path if path is not None else io.BytesIO(bucket.read(name)),
        columns=list(columns) if columns is not None else None,
        hive_partitioning=False,
    )
