"""Define the output of every parser: typed rows and rejections of a file, not yet validated."""

import codecs
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time
from typing import NamedTuple

import polars as pl

from football_assets.errors import FootballError

RECORD_CHARACTERS = 500


class MatchRow(NamedTuple):
    """One match as a file lists it.

    `line` counts from 1; `path` is a JSON path; `record` is the raw text; `void` is the reason why the score is no
    result of play (`rules.without_void`); `is_addition`: the row adds measures to a match of another file.
    """

    line: int | None
    path: str | None
    record: str
    kickoff_date: date
    kickoff_time: time | None
    home_team: str
    away_team: str
    home_goals: int | None
    away_goals: int | None
    round: str | None = None
    odds_home: float | None = None
    odds_draw: float | None = None
    odds_away: float | None = None
    void: str | None = None
    is_addition: bool = False


class Rejection(NamedTuple):
    """One record that cannot be read, or a file as a whole (then without line and path).

    `left_out`: the columns that are null where the match of the record is kept; None if the record is rejected.
    """

    line: int | None
    path: str | None
    record: str
    reason: str
    left_out: str | None = None


@dataclass(frozen=True)
class ParsedFile:
    """The rows and rejections of a file.

    `measures`: frames of some columns of `domain.measures`, as Float64, with the position of each row in `rows`
    (`place`).
    """

    rows: list[MatchRow] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    measures: list[pl.DataFrame] = field(default_factory=list, compare=False)

    def extend(self, other: "ParsedFile") -> None:
        """Add the rows, rejections and measures of another section of the file."""
        self.measures.extend(frame.with_columns(pl.col("place") + len(self.rows)) for frame in other.measures)
        self.rows.extend(other.rows)
        self.rejections.extend(other.rejections)


class UnreadableFile(FootballError):
    """A file as a whole cannot be read in its format."""


class WrongDivision(UnreadableFile):
    """A file holds another division than its name says."""


class UnusableRecord(FootballError):
    """One record of a file cannot be read; the message is the reason."""


def clean_name(text: str | None) -> str | None:
    """Strip a name. Return None if nothing is left."""
    return text.strip() or None if text else None


def decode(data: bytes) -> str:
    """Decode a file in UTF-8 or UTF-16 (with or without byte order mark), UTF-32 (with it), else in Windows-1252.

    The end-of-file mark of DOS and its padding are left out.

    Raises
    ------
    UnreadableFile
        The file is empty, binary or an HTML page.
    """
    for signature, kind in _BINARY_KINDS.items():
        if data.startswith(signature):
            raise UnreadableFile(f"The file is binary, not text: it is {kind}.")
    text = _without_end_mark(_first_that_fits(data, _encodings(data)))
    start = text[:RECORD_CHARACTERS].lstrip().lower()
    if not start and not text.strip():
        raise UnreadableFile("The file is empty: download it again.")
    if "\0" in text:
        raise UnreadableFile("The file is binary, not text: land the unpacked results.")
    if start.startswith(("<!doctype", "<html", "<?xml", "<head", "<body")):
        raise UnreadableFile("The file is an HTML page, not results: download the raw file.")
    return text


_BINARY_KINDS = {
    b"PK\x03\x04": "a ZIP archive, an Excel workbook or an OpenDocument one: unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save the sheet as CSV",
    b"\x1f\x8b": "compressed by gzip: unpack it",
    b"PAR1": "a Parquet table: write it as CSV",
    b"%PDF": "a PDF document: download the results as CSV or JSON",
    b"\xfd7zXZ\x00": "compressed by xz: unpack it",
    b"\x28\xb5\x2f\xfd": "compressed by Zstandard: unpack it",
    b"Rar!\x1a\x07": "a RAR archive: unpack it",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it",
    b"SQLite format 3\x00": "a SQLite database: write the table as CSV",
    **{b"BZh" + bytes([level]) + b"1AY&SY": "compressed by bzip2: unpack it" for level in b"123456789"},
}
_UTF32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAMPLE_BYTES = 1 << 10


def _encodings(data: bytes) -> list[str]:
    if data.startswith(_UTF32_MARKS):  # that of little-endian UTF-32 begins like that of UTF-16
        return ["utf-32"]
    if data.startswith(_UTF16_MARKS):
        return ["utf-16"]
    # Without a byte order mark: Latin letters in UTF-16 have a zero in every second byte.
    sample = data[:_SAMPLE_BYTES]
    zeros = [sample[first::2].count(0) for first in (0, 1)]
    if max(zeros) > len(sample) // 4 and min(zeros) == 0:
        return ["utf-16-be" if zeros[0] else "utf-16-le"]
    return ["utf-8-sig", "cp1252"]


def _first_that_fits(data: bytes, encodings: Iterable[str]) -> str:
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _without_end_mark(text: str) -> str:
    """Return a text without the end-of-file mark of DOS, control code 0x1A, and the padding behind it.

    Zeros without the mark are kept: an interrupted download ends with them.
    """
    content = text.rstrip("\x1a\0")
    return content if text[len(content) :].startswith("\x1a") else text
