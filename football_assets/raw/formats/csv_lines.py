"""Lines and fields of a CSV file, as every reader of CSV takes them apart."""

import csv
from collections.abc import Sequence

from football_assets.raw.formats.records import UnreadableFile, decode

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
BLANK = " " + "".join(DELIMITERS)
"""A line of these alone is blank."""
_MARK_IN_LATIN_1 = "ï»¿"  # a byte order mark before text that is no UTF-8


def column_names(data: bytes) -> list[str]:
    """The names in the first line of a CSV with commas, in lower case, without a look at its other lines.

    Raises
    ------
    UnreadableFile
        The file is empty or no text.
    """
    lines = decode(data).lstrip(BLANK + "\r\n").splitlines()[:1]
    return split_header(lines[0]) if lines else []


def split_header(line: str, delimiter: str = ",") -> list[str]:
    """The names of columns in a header, in lower case."""
    return [name.strip().lower() for name in split_line(line.removeprefix(_MARK_IN_LATIN_1), delimiter)]


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


def split_line(line: str, delimiter: str = ",") -> list[str]:
    """The fields of one line."""
    if '"' not in line:
        return line.split(delimiter)
    # A line at a time: a stray quote then spoils its own line, not the rest of the file.
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        return line.split(delimiter)
