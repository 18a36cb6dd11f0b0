"""Split lines of a CSV file into fields, and check its header."""

import csv
from collections.abc import Sequence

from football_assets.raw.formats.records import UnreadableFile, decode

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
BLANK = " \x1a" + "".join(DELIMITERS)
"""A line of these alone is blank. The control code ends a file of DOS."""
_MARK_IN_LATIN_1 = "ï»¿"  # byte order mark before text that is not UTF-8


def column_names(data: bytes) -> list[str]:
    """Parse the column names of a CSV with commas from its first line, in lower case. Other lines are not read.

    Raises
    ------
    UnreadableFile
        The file is empty or not text.
    """
    lines = decode(data).lstrip(BLANK + "\r\n").splitlines()[:1]
    return split_header(lines[0]) if lines else []


def split_header(line: str, delimiter: str = ",") -> list[str]:
    """Split a header into column names, in lower case."""
    text = line.removeprefix(_MARK_IN_LATIN_1).replace("\ufeff", "")  # within a file where files were joined
    return [name.strip().lower() for name in split_line(text, delimiter)]


def check_columns(names: Sequence[str], required: Sequence[str], example: str) -> None:
    """Check that a header has the required columns. `example` is a header for the error message.

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
    """Split one line into fields."""
    if '"' not in line:
        return line.split(delimiter)
    # One line at a time, so that a stray quote affects its own line, not the rest of the file.
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        return line.split(delimiter)
