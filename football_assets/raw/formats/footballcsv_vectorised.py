"""Parse many plain footballcsv files at once, column by column.

Most files are plain. Each distinct date and score is parsed once by the functions of `footballcsv.py`, which also
parses all other files, line by line.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import polars as pl

from football_assets.domain.measures import STATISTIC_PAIRS
from football_assets.raw.formats.csv_lines import BLANK
from football_assets.raw.formats.dates import parse_date
from football_assets.raw.formats.footballcsv import parse_half_time, parse_score
from football_assets.raw.formats.records import RECORD_CHARACTERS, UnusableRecord

HEADER = "Date,Team 1,FT,HT,Team 2"
_HEADER_LINES = (f"{HEADER}\n".encode(), f"{HEADER}\r\n".encode())
_FIELDS = ("date", "home_team", "score", "half_time", "away_team")
_SPECIAL = ('"', "\r", "\0", "\x1a")  # of quoted fields, old Mac line ends, binary content, ends of DOS files
_HALF_TIME: dict[str, type[pl.DataType]] = dict.fromkeys(STATISTIC_PAIRS[0], pl.Float64)
_GOALS: dict[str, type[pl.DataType]] = {"home_goals": pl.Int64, "away_goals": pl.Int64, "void": pl.String}


def is_plain_header(data: bytes) -> bool:
    """Return whether a file begins with HEADER."""
    return data.startswith(_HEADER_LINES)


def read_plain(files: Mapping[int, bytes]) -> pl.DataFrame:
    """Parse the plain files among `files` (content by number), in their order.

    A file is plain if it is UTF-8, begins with HEADER, and each other line is blank or has five fields without quotes
    and a readable date and score. A file with a date that needs the order of day and month, or has a time, is not
    plain, since that order is inferred for the file as a whole.

    Returns
    -------
    pl.DataFrame
        One row per match: `file`, the number of its file; `line`, which counts from 1; `record`, `kickoff_date`,
        `home_team`, `away_team`, `home_goals`, `away_goals` and `void` as in `records.MatchRow`; and the goals at
        half-time.
    """
    lines = _lines(files)
    fields = lines.with_columns(
        pl.col("record").str.split_exact(",", len(_FIELDS) - 1).struct.rename_fields(_FIELDS).struct.unnest()
    )
    rows = (
        fields.join(
            _meanings(fields["date"], {"kickoff_date": pl.Date}, _plain_day),
            on="date",
            how="left",
            maintain_order="left",
        )
        .join(
            _meanings(fields["score"], _GOALS, parse_score),
            on="score",
            how="left",
            maintain_order="left",
        )
        .join(
            _meanings(fields["half_time"], _HALF_TIME, parse_half_time),
            on="half_time",
            how="left",
            maintain_order="left",
        )
    )
    is_plain = (
        (pl.col("record").str.count_matches(",", literal=True) == len(_FIELDS) - 1)
        & (pl.col("record").str.len_chars() <= RECORD_CHARACTERS)
        & pl.col("date_is_read")
        & pl.col("score_is_read")
    )
    odd = rows.filter(~is_plain)["file"].unique()
    return rows.filter(~pl.col("file").is_in(odd.implode())).select(
        "file", "line", "record", "kickoff_date", "home_team", "away_team", *_GOALS, *_HALF_TIME
    )


def _lines(files: Mapping[int, bytes]) -> pl.DataFrame:
    """Split the files that may be plain into their lines below the header: `file`, `line` and `record`."""
    texts = {file: text for file, data in files.items() if (text := _text(data)) is not None}
    listed = pl.DataFrame(
        {"file": texts.keys(), "record": texts.values()}, schema={"file": pl.Int32, "record": pl.String}
    )
    return (
        listed.with_columns(pl.col("record").str.split("\n"))
        .with_columns(line=pl.int_ranges(1, pl.col("record").list.len() + 1))
        .explode("record", "line")
        .filter(pl.col("line") > 1, pl.col("record").str.strip_chars(BLANK) != "")
    )


def _text(data: bytes) -> str | None:
    """Decode a file that may be plain, with normalised line ends. Return None for any other file."""
    if not is_plain_header(data):
        return None
    try:
        text = data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
    is_special = any(special in text for special in _SPECIAL)
    return None if is_special else text


def _plain_day(text: str) -> tuple[date]:
    moment = parse_date(text, None)
    if moment.clock is not None or moment.void is not None:
        raise UnusableRecord("The date has a time or a status.")
    return (moment.day,)


def _meanings(
    texts: pl.Series, schema: dict[str, type[pl.DataType]], read: Callable[[str], tuple[Any, ...]]
) -> pl.DataFrame:
    """Parse each distinct text once, to the columns of `schema` and whether it can be read."""
    meanings = []
    for text in texts.drop_nulls().unique():
        try:
            meanings.append((text, *read(text), True))
        except UnusableRecord:
            meanings.append((text, *(None for _ in schema), False))
    name = texts.name
    return pl.DataFrame(
        meanings, schema={name: pl.String, **schema, f"{name}_is_read": pl.Boolean}, orient="row"
    )
