"""The tables of the prediction log, one a day: read and rewritten some rows at a time, since ten million fit no memory.

Rows are in order of time within each row group, and row groups roughly so.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from football_assets.monitoring.schema import LOG_SCHEMA
from football_assets.storage.bucket import Bucket

ROWS_AT_ONCE = 100_000
"""Rows of a row group, which are in memory at once: 40 MB of forecasts with 70 inputs."""

KEY = ("segment", "line")
ANY_VERSION = (0, 1 << 62)
_CODE = "code"


class Runs:
    """Sorted Parquet files of a folder that take frames of any size and columns, and give them back in order.

    Parameters
    ----------
    folder
        Empty folder on a local disk.
    """

    def __init__(self, folder: Path) -> None:
        self.paths: list[Path] = []
        self.files: set[str] = set()
        self.rows = 0
        self._folder = folder
        self._waiting: list[pl.DataFrame] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Add rows of the log."""
        self._waiting.append(frame)
        self.files.update(frame["segment"].unique())
        self.rows += frame.height
        if sum(part.height for part in self._waiting) >= ROWS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait for a file."""
        if self._waiting:
            path = self._folder / f"run-{len(self.paths):06}.parquet"
            frame = pl.concat(self._waiting, how="diagonal_relaxed").sort("time", *KEY)
            frame.write_parquet(path, compression="zstd", compression_level=1)
            self.paths.append(path)
            self._waiting = []


def read_batches(source: BinaryIO, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """Yield the rows of an open Parquet file in their order, `ROWS_AT_ONCE` at a time.

    Parameters
    ----------
    columns
        Those to read; a file of an earlier release may lack some. None reads all.
    """
    file = _open(source)
    present = None if columns is None else [name for name in file.schema_arrow.names if name in columns]
    # One thread reads the columns in the order of the file: a remote bucket is asked for few ranges.
    for batch in file.iter_batches(ROWS_AT_ONCE, columns=present, use_threads=False):
        yield _frame(batch)


def count_rows(bucket: Bucket, name: str) -> int:
    """Count the rows of a table's object from its footer.

    Raises
    ------
    ObjectNotFound
        It was removed since it was listed.
    """
    with bucket.open(name) as source:
        return int(_open(source).metadata.num_rows)


def count_repeated(bucket: Bucket, name: str) -> tuple[int, int]:
    """Count the rows of a table's object, and those whose segment and line another row has: 8 bytes a row.

    Raises
    ------
    ObjectNotFound
        It was removed since it was listed.
    """
    codes: dict[str, int] = {}
    with bucket.open(name) as source:
        keys = np.empty(_open(source).metadata.num_rows, np.int64)
        start = 0
        for batch in read_batches(source, KEY):
            for file in batch["segment"].unique():
                codes.setdefault(file, len(codes))
            code = batch["segment"].replace_strict(codes, return_dtype=pl.Int64).to_numpy()
            keys[start : start + batch.height] = code << 32 | batch["line"].to_numpy()
            start += batch.height
    keys.sort()
    return len(keys), int(np.count_nonzero(keys[1:] == keys[:-1]))


def lines_of(bucket: Bucket, name: str, files: Collection[str]) -> dict[str, set[int]]:
    """Return the lines of some segments that a table's object has.

    Raises
    ------
    ObjectNotFound
        It was removed since it was listed.
    """
    found: dict[str, set[int]] = {}
    with bucket.open(name) as source:
        for batch in read_batches(source, KEY):
            wanted = batch.filter(pl.col("segment").is_in(list(files)))
            for file, lines in wanted.group_by("segment").agg("line").iter_rows():
                found.setdefault(file, set()).update(lines)
    return found


def version_ranges(bucket: Bucket, name: str) -> set[tuple[int, int]]:
    """Return the lowest and the highest model version of each row group of a table's object, from its footer.

    A row group without statistics has `ANY_VERSION`.

    Raises
    ------
    ObjectNotFound
        It was removed since it was listed.
    """
    with bucket.open(name) as source:
        metadata = _open(source).metadata
    column = metadata.schema.names.index("model_version")
    groups = [metadata.row_group(number).column(column) for number in range(metadata.num_row_groups)]
    return {
        (group.statistics.min, group.statistics.max)
        if group.statistics is not None and group.statistics.has_min_max
        else ANY_VERSION
        for group in groups
    }


def merge_log(current: BinaryIO | None, runs: Runs, target: Path) -> int:
    """Write the rows of a day's table and those of runs that it lacks by segment and line; returns how many it lacked.

    Parameters
    ----------
    current
        The day's table; None: there is none.
    target
        File to write. It is not written if the table lacks no row.
    """
    known = _Known(current, runs.files)
    added = sum(known.without(pl.read_parquet(path, columns=list(KEY))).height for path in runs.paths)
    if not added:
        return 0
    schema = pl.concat(
        [LOG_SCHEMA.to_frame(), *(pl.DataFrame(schema=one) for one in _schemas(current, runs.paths))],
        how="diagonal_relaxed",
    ).schema
    arrow = pl.DataFrame(schema=schema).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    with pq.ParquetWriter(target, arrow, compression="zstd") as writer:
        for frame in _row_groups(_all_rows(current, runs.paths, known), schema):
            writer.write_table(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
    return added


def _all_rows(current: BinaryIO | None, paths: Iterable[Path], known: "_Known") -> Iterator[pl.DataFrame]:
    if current is not None:
        yield from read_batches(current)
    for path in paths:
        yield known.without(pl.read_parquet(path))


def _row_groups(frames: Iterable[pl.DataFrame], schema: pl.Schema) -> Iterator[pl.DataFrame]:
    """Collect frames to row groups of one schema, sorted."""
    waiting: list[pl.DataFrame] = []

    def collected() -> pl.DataFrame:
        parts = [pl.DataFrame(schema=schema), *waiting]
        return pl.concat(parts, how="diagonal_relaxed").select(schema.names()).cast(schema).sort("time", *KEY)

    for frame in frames:
        waiting.append(frame)
        if sum(part.height for part in waiting) >= ROWS_AT_ONCE:
            yield collected()
            waiting.clear()
    if waiting:
        yield collected()


def _schemas(current: BinaryIO | None, paths: Iterable[Path]) -> Iterator[pl.Schema]:
    with ExitStack() as stack:
        sources = [] if current is None else [current]
        sources += [stack.enter_context(path.open("rb")) for path in paths]
        for source in sources:
            yield _frame(_open(source).schema_arrow.empty_table()).schema


class _Known:
    """Segment and line of a table's rows that are of some segments, 12 bytes a row."""

    def __init__(self, current: BinaryIO | None, files: Collection[str]) -> None:
        schema = {"segment": pl.String}
        self._codes = pl.DataFrame({"segment": sorted(files)}, schema=schema).with_row_index(_CODE)
        batches = () if current is None else read_batches(current, KEY)
        found = [batch.join(self._codes, on="segment").select(_CODE, "line") for batch in batches]
        self._lines = pl.concat([pl.DataFrame(schema={_CODE: pl.UInt32, "line": pl.Int64}), *found])

    def without(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Leave out the rows that the table has."""
        if self._lines.is_empty():
            return frame
        coded = frame.join(self._codes, on="segment", how="left", maintain_order="left")
        of_these = self._lines.filter(pl.col(_CODE).is_in(coded[_CODE].unique().implode()))
        new = coded.join(of_these, on=[_CODE, "line"], how="anti", maintain_order="left")
        return new.drop(_CODE)


def _open(source: BinaryIO) -> pq.ParquetFile:
    """Open a file without its buffer of all that will be read, which grows to the size of the file."""
    return pq.ParquetFile(source, pre_buffer=False)


def _frame(data: pa.RecordBatch | pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(data)
    assert isinstance(frame, pl.DataFrame)
    return frame
