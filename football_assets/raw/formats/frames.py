"""Parse many files at once into frames."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from football_assets.domain.measures import MEASURE_COLUMNS, STATISTIC_PAIRS
from football_assets.raw.formats.footballcsv_vectorised import read_plain
from football_assets.raw.formats.reader import read_results
from football_assets.raw.formats.records import MatchRow, ParsedFile, Rejection

ROW_SCHEMA: dict[str, type[pl.DataType]] = {
    "line": pl.Int64,
    "path": pl.String,
    "record": pl.String,
    "kickoff_date": pl.Date,
    "kickoff_time": pl.Time,
    "home_team": pl.String,
    "away_team": pl.String,
    "home_goals": pl.Int64,
    "away_goals": pl.Int64,
    "round": pl.String,
    "odds_home": pl.Float64,
    "odds_draw": pl.Float64,
    "odds_away": pl.Float64,
    "void": pl.String,
    "is_addition": pl.Boolean,
}
REJECTION_SCHEMA: dict[str, type[pl.DataType]] = {
    "season": pl.String,
    "source_object": pl.String,
    "source_version": pl.String,
    "line": pl.Int64,
    "path": pl.String,
    "reason": pl.String,
    "left_out": pl.String,
    "record": pl.String,
}


_MEASURES_SCHEMA: dict[str, type[pl.DataType]] = {
    "object_order": pl.Int32,
    "place": pl.Int32,
    **dict.fromkeys(MEASURE_COLUMNS, pl.Float64),
}


class FileContent(NamedTuple):
    """The bytes of a file, its format (`json` or `csv`) and the league of its name, or None."""

    data: bytes
    extension: str
    league_id: str | None


class FileReadings(NamedTuple):
    """What files hold, each record with the number of its file (`object_order`, from 0).

    `rows` are by ROW_SCHEMA, `rejections` by REJECTION_SCHEMA. `measures` has those rows that have any: `place` among
    the rows of the file, from 0, and MEASURE_COLUMNS as Float64.
    """

    rows: pl.DataFrame
    rejections: pl.DataFrame
    measures: pl.DataFrame


def read_files(files: Sequence[FileContent]) -> FileReadings:
    """Parse files to rows, rejections and measures."""
    plain = read_plain({order: file.data for order, file in enumerate(files) if file.extension == "csv"})
    done = set(plain["file"])
    readings = {
        order: read_results(file.extension, file.data, file.league_id)
        for order, file in enumerate(files)
        if order not in done
    }
    rows = _frame(ROW_SCHEMA, MatchRow._fields, {order: reading.rows for order, reading in readings.items()})
    rejections = _frame(
        REJECTION_SCHEMA,
        Rejection._fields,
        {order: reading.rejections for order, reading in readings.items()},
    )
    plain = plain.rename({"file": "object_order"})
    together = pl.concat([plain, rows], how="diagonal").with_columns(pl.col("is_addition").fill_null(False))
    return FileReadings(together.select(*rows.columns), rejections, _measures(plain, readings))


def _measures(plain: pl.DataFrame, readings: Mapping[int, ParsedFile]) -> pl.DataFrame:
    """Put the measures of all files into one frame, without rows that have none."""
    frames = [
        frame.with_columns(object_order=pl.lit(order, pl.Int32))
        for order, reading in readings.items()
        for frame in reading.measures
    ]
    of_plain = plain.select(
        "object_order",
        pl.int_range(pl.len(), dtype=pl.Int32).over("object_order").alias("place"),
        *STATISTIC_PAIRS[0],
    )
    together = pl.concat([pl.DataFrame(schema=_MEASURES_SCHEMA), of_plain, *frames], how="diagonal")
    return together.filter(pl.any_horizontal(pl.col(MEASURE_COLUMNS).is_not_null()))


def of_rows(measures: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Replace `object_order` and `place` of measures by the number of the row, `row`.

    Parameters
    ----------
    rows
        All rows of the same files, as `with_origins` returns them.
    """
    first = rows.group_by("object_order").agg(first=pl.col("row").min())
    return (
        measures.join(first, on="object_order")
        .select((pl.col("first") + pl.col("place")).alias("row"), *MEASURE_COLUMNS)
        .sort("row")
    )


def with_origins(records: pl.DataFrame, origins: pl.DataFrame) -> pl.DataFrame:
    """Sort records by file, and add their number (`row`, from 0) and the columns of `origins`.

    Parameters
    ----------
    origins
        One row per file, with its `object_order`.
    """
    return (
        records.sort("object_order", maintain_order=True)
        .with_columns(row=pl.int_range(pl.len(), dtype=pl.Int32))
        .join(origins, on="object_order", how="left", maintain_order="left")
    )


def _frame(
    schema: Mapping[str, type[pl.DataType]],
    names: Sequence[str],
    records: Mapping[int, Sequence[tuple[object, ...]]],
) -> pl.DataFrame:
    """Convert records by `object_order` to a frame."""
    import numpy as np

    # Column by column: keeping a quarter of a million tuples costs the garbage collector a second.
    columns: list[list[object]] = [[] for _ in names]
    for listed in records.values():
        for column, values in zip(columns, zip(*listed, strict=True), strict=False):
            column.extend(values)
    orders = np.repeat(np.array([*records], dtype=np.int32), [len(listed) for listed in records.values()])
    return pl.DataFrame(
        dict(zip(names, columns, strict=True)), schema={name: schema[name] for name in names}
    ).with_columns(pl.Series("object_order", orders, dtype=pl.Int32))
