"""Lines and fields of a CSV file, as both readers of CSV take them apart."""

import csv
import re
from collections.abc import Sequence

from football_assets.raw.formats.reading import UnreadableFile, decode

BLANK = " ,\t"
_MARK_IN_LATIN_1 = "ï»¿"  # a byte order mark before text that is no UTF-8


def split_lines(data: bytes) -> tuple[list[str], Sequence[tuple[int, str]]]:
    """The names of a CSV's columns, in lower case, and its other lines that are not blank, with their
    numbers.

    Raises
    ------
    UnreadableFile
        The file is empty or no text.
    """
    lines = re.split(r"\r\n|\n|\r", decode(data))
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip(BLANK)]
    return (_names(numbered[0][1]) if numbered else []), numbered[1:]


def column_names(data: bytes) -> list[str]:
    """The names of a CSV's columns, in lower case, without a look at its other lines.

    Raises
    ------
    UnreadableFile
        The file is empty or no text.
    """
    lines = decode(data).lstrip(BLANK + "\r\n").splitlines()[:1]
    return _names(lines[0]) if lines else []


def check_columns(names: Sequence[str], required: Sequence[str], example: str) -> None:
    """Refuse a header that lacks a required column; `example` is a header that has them.

    Raises
    ------
    UnreadableFile
        A required column is missing.
    """
    missing = [name for name in required if name not in names]
    if missing:
        raise UnreadableFile(
            f"The CSV lacks the column(s) {', '.join(missing)}: its first line must be like '{example}'."
        )


def fields_of(line: str) -> list[str]:
    """The fields of one line."""
    if '"' not in line:
        return line.split(",")
    # A line at a time: a stray quote then spoils its own line, not the rest of the file.
    try:
        return next(csv.reader([line]))
    except csv.Error:
        return line.split(",")


def _names(line: str) -> list[str]:
    return [name.strip().lower() for name in fields_of(line.removeprefix(_MARK_IN_LATIN_1))]
