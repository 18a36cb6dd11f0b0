"""Parquet tables in the bucket: `tables/<name>.parquet`, or one a partition, `tables/<name>/<partition>.parquet`.

The partitions of landed results are seasons, those of features are countries, which are made anew one by one. And what
a person sees of tables: Markdown, for the metadata of assets.
"""

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import polars as pl

from football_assets.errors import ObjectNotFound
from football_assets.orchestration.increments import by_country, footer, is_of, made_from
from football_assets.storage.bucket import Bucket, ObjectInfo

TABLES = "tables/"
_SEASON = re.compile(r"\d{4}(-\d{2})?")
_THREADS = 4  # that read or write objects at a time
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class CountryTable:
    """The rows of some countries of a table of features.

    Parameters
    ----------
    frame
        All rows of the countries `made`.
    made
        Countries that were made again; of some there may be no row.
    countries
        All countries that the table has from now on.
    made_from
        Keys of `increments.country_keys`; of a country that it lacks, nothing is noted.
    """

    frame: pl.DataFrame
    made: Sequence[str]
    countries: Sequence[str]
    made_from: Mapping[str, str]


def country_of_league() -> pl.Expr:
    """Return the country of a row by its `league_id`, as the column `country`: `eng` of `eng.1`."""
    return pl.col("league_id").str.splitn(".", 2).struct.field("field_0").alias("country")


def split_by_country(table: pl.DataFrame, countries: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Return the rows of each of some countries in their order; no row of a country that has none.

    Parameters
    ----------
    table
        Rows with `country` or `league_id`.
    """
    of_row = table["country"] if "country" in table.columns else table.select(country_of_league()).to_series()
    return {country: table.filter(of_row == country) for country in countries}


def write_partitions(bucket: Bucket, name: str, parts: Mapping[str, pl.DataFrame]) -> list[ObjectInfo]:
    """Replace some countries of a table.

    Objects of seasons, by which earlier versions stored the landed results, are removed: their rows are in the
    countries.
    """
    written = _in_threads(lambda country: write_table(bucket, name, parts[country], country), parts)
    for item in bucket.list(f"{TABLES}{name}/"):
        if _SEASON.fullmatch(partition_of(item)):
            bucket.delete(item.name)
    return written


def table_object(name: str, partition: str | None = None) -> str:
    """Object that holds a table or one of its partitions."""
    return f"{TABLES}{name}.parquet" if partition is None else f"{TABLES}{name}/{partition}.parquet"


def table_objects(bucket: Bucket, name: str) -> list[ObjectInfo]:
    """Objects that hold a table: one a partition, or the one that holds it as a whole."""
    partitions = list(bucket.list(f"{TABLES}{name}/"))
    whole = None if partitions else bucket.stat(table_object(name))
    return [whole] if whole is not None else partitions


def existing_objects(bucket: Bucket, name: str) -> list[ObjectInfo]:
    """Objects that hold a table, at least one.

    Raises
    ------
    ObjectNotFound
        The table was never written.
    """
    objects = table_objects(bucket, name)
    if not objects:
        raise _missing(bucket, name)
    return objects


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
        raise _missing(bucket, name)
    return _read_objects(bucket, objects, columns)


def _read_objects(
    bucket: Bucket, objects: Iterable[ObjectInfo], columns: Sequence[str] | None
) -> pl.DataFrame:
    parts = _in_threads(lambda item: read_table_object(bucket, item.name, columns), objects)
    return pl.concat(parts, how="diagonal_relaxed")


def read_table_of(
    bucket: Bucket, name: str, countries: Sequence[str], columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """The rows of some countries of a table of features; where it has none of them, its columns without a row.

    Raises
    ------
    ObjectNotFound
        The table was never written.
    """
    objects = existing_objects(bucket, name)
    if _is_whole(name, objects):
        rows = read_table_object(bucket, objects[0].name).filter(is_of(countries))
        return rows if columns is None else rows.select(columns)
    wanted = [item for item in objects if partition_of(item) in countries]
    if not wanted:
        return read_table_object(bucket, objects[0].name, columns).clear()
    return _read_objects(bucket, wanted, columns)


def _is_whole(name: str, objects: Sequence[ObjectInfo]) -> bool:
    """Whether one object holds the whole table: it has no row, or an earlier version wrote it."""
    return [item.name for item in objects] == [table_object(name)]


def _missing(bucket: Bucket, name: str) -> ObjectNotFound:
    return ObjectNotFound(
        f"Table {name!r} is not in bucket {bucket.url}: materialise the asset {name!r} first."
    )


def _in_threads(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(work, items))


def write_table(
    bucket: Bucket, name: str, frame: pl.DataFrame, partition: str | None = None, key: str | None = None
) -> ObjectInfo:
    """Replace a table, or one of its partitions, as a whole. `key`, what it was made from, goes into its footer."""
    buffer = io.BytesIO()
    frame.write_parquet(
        buffer, compression="zstd", compression_level=1, metadata=footer(key) if key else None
    )
    return bucket.write(table_object(name, partition), buffer.getvalue())


def write_country_table(bucket: Bucket, name: str, table: CountryTable) -> list[ObjectInfo]:
    """Replace the countries that were made again, and remove those that the table has no more.

    A table without any country is one object, so that its columns are known.
    """
    parts, nothing = by_country(table.frame), table.frame.clear()
    written = _in_threads(
        lambda country: write_table(
            bucket, name, parts.get(country, nothing), country, table.made_from.get(country)
        ),
        table.made,
    )
    if not table.countries:
        written = [write_table(bucket, name, table.frame)]
    kept = set()
    for item in bucket.list(f"{TABLES}{name}/"):
        if partition_of(item) in table.countries:
            kept.add(partition_of(item))
        else:
            bucket.delete(item.name)
    if kept and bucket.stat(table_object(name)) is not None:  # as an earlier version kept it
        bucket.delete(table_object(name))
    return written


def write_by_country(bucket: Bucket, name: str, frame: pl.DataFrame) -> None:
    """Replace a table of features as a whole."""
    countries = list(by_country(frame))
    write_country_table(bucket, name, CountryTable(frame, countries, countries, {}))


def partition_of(item: ObjectInfo) -> str:
    """Partition of a table that an object holds."""
    return PurePosixPath(item.name).stem


def country_versions(bucket: Bucket, name: str) -> dict[str, str]:
    """Versions of the rows of a table of features, by country.

    Raises
    ------
    ObjectNotFound
        The table was never written.
    """
    objects = existing_objects(bucket, name)
    if _is_whole(name, objects):
        rows = read_table_object(bucket, objects[0].name, ["league_id"])
        return dict.fromkeys(by_country(rows), objects[0].version)
    return {partition_of(item): item.version for item in objects}


def latest_country(bucket: Bucket, name: str) -> list[str]:
    """The country of a table of features that was written last; all of its countries where one object holds them.

    Raises
    ------
    ObjectNotFound
        The table was never written.
    """
    objects = existing_objects(bucket, name)
    if _is_whole(name, objects):
        return list(by_country(read_table_object(bucket, objects[0].name, ["league_id"])))
    return [partition_of(max(objects, key=lambda item: (item.updated, item.name)))]


def countries_made_from(bucket: Bucket, name: str) -> dict[str, str]:
    """What the rows of each country of a table were made from, where its object says."""
    objects = list(bucket.list(f"{TABLES}{name}/"))
    noted = _in_threads(lambda item: made_from(_source(bucket, item.name)), objects)
    return {partition_of(item): key for item, key in zip(objects, noted, strict=True) if key is not None}


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
    """One object of a table, or some columns of it.

    Raises
    ------
    ObjectNotFound
        It was removed since it was listed.
    """
    try:
        return pl.read_parquet(
            _source(bucket, name),
            columns=list(columns) if columns is not None else None,
            hive_partitioning=False,
        )
    except FileNotFoundError as error:
        raise ObjectNotFound(f"Object {name!r} was removed from bucket {bucket.url} meanwhile.") from error


def _source(bucket: Bucket, name: str) -> Path | bytes:
    """Where the content of an object can be read in place, or else the content."""
    path = bucket.local_path(name)
    return path if path is not None else bucket.read(name)
