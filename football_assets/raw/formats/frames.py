"""Parse many files at once into frames."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from football_assets.raw.formats.footballcsv_vectorised import read_plain
from football_assets.raw.formats.reader import read_results
from football_assets.raw.formats.records import MatchRow, Rejection

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
}
REJECTION_SCHEMA: dict[str, type[pl.DataType]] = {
    "season": pl.String,
    "source_object": pl.String,
    "source_version": pl.String,
    "line": pl.Int64,
    "path": pl.String,
    "reason": pl.String,
    "record": pl.String,
}


class FileContent(NamedTuple):
    """The bytes of a file, its format (`json` or `csv`) and the league of its name, or None."""

    data: bytes
    extension: str
    league_id: str | None


def read_files(files: Sequence[FileContent]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Parse files to rows by ROW_SCHEMA and rejections, each with the number of its file (`object_order`, from 0)."""
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
    together = pl.concat([plain.rename({"file": "object_order"}), rows], how="diagonal")
    return together.select(*rows.columns), rejections


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
