"""Detect the format of a file and parse it. Entry point of the other modules of `formats`."""

import re
from collections.abc import Callable

from football_assets.raw.formats.competition_headers import is_scores_header, is_wide_header
from football_assets.raw.formats.csv_lines import column_names
from football_assets.raw.formats.csv_table import CsvFormat, CsvTable, read_csv_table
from football_assets.raw.formats.divisions import check_division
from football_assets.raw.formats.football_data import check_football_data, read_football_data
from football_assets.raw.formats.footballcsv import check_footballcsv, read_footballcsv
from football_assets.raw.formats.footballcsv_vectorised import is_plain_header
from football_assets.raw.formats.openfootball import check_document, read_openfootball
from football_assets.raw.formats.records import (
    RECORD_CHARACTERS,
    ParsedFile,
    Rejection,
    UnreadableFile,
    decode,
)

_JSON = re.compile(r"""\s*(?:\{|\[\s*(?:["\[{\]\d-]|true|false|null))""")
"""The beginning of a JSON object or array. `[Sat Aug 8]` begins a day of Football.TXT."""
EXTENSIONS = ("json", "csv")
"""Extensions of landing objects: JSON is in openfootball's format, CSV in one of `CsvFormat`."""


def read_csv(data: bytes, league_id: str | None = None) -> ParsedFile:
    """Parse a CSV file of results in the format of its header.

    Parameters
    ----------
    league_id
        The league of the file's name, like `eng.1`. None: any league.

    Raises
    ------
    UnreadableFile
        The file is empty, not text, lacks a required column, or has dates in two orders.
    WrongDivision
        The file holds no row of the league.
    """
    names = column_names(data)
    if is_wide_header(names) or is_scores_header(names):
        raise UnreadableFile(
            "The file is of the Kaggle competition and spans seasons and leagues: land its folder with `football land`."
        )
    return read_rows(read_csv_table(data), league_id)


def read_rows(table: CsvTable, league_id: str | None = None) -> ParsedFile:
    """Parse the rows of a table. Parameters and errors are those of `read_csv`."""
    if league_id is not None:
        check_division(table.sections, league_id)
    above = "The line is above the header and is not a match."
    reading = ParsedFile(
        rejections=[
            Rejection(record.line, None, record.text[:RECORD_CHARACTERS], above) for record in table.above
        ]
    )
    for section in table.sections:
        if section.format is CsvFormat.FOOTBALLCSV:
            reading.extend(read_footballcsv(section, table.order))
        else:
            reading.extend(read_football_data(section, table.order, league_id))
    return reading


def read_results(extension: str, data: bytes, league_id: str | None = None) -> ParsedFile:
    """Parse a landing file of a known extension. An unreadable file becomes one rejection without line and path."""
    readers: dict[str, Callable[[], ParsedFile]] = {
        "json": lambda: read_openfootball(data),
        "csv": lambda: read_csv(data, league_id),
    }
    try:
        return readers[extension]()
    except UnreadableFile as error:
        text = data[:RECORD_CHARACTERS].decode("utf-8", errors="replace").replace("\0", " ")
        return ParsedFile(rejections=[Rejection(None, None, text, str(error))])


def detect_format(data: bytes) -> tuple[str, CsvTable | None]:
    """Detect the format of a file from its content: the extension, and the table of a CSV.

    The table is None for a CSV whose first line is the usual header of footballcsv, for which nothing has to be
    inferred.

    Raises
    ------
    UnreadableFile
        The content is in none of the formats, or its dates are in two orders.
    """
    if is_plain_header(data):
        return "csv", None
    if _JSON.match(decode(data)):
        check_document(data)
        return "json", None
    table = read_csv_table(data)
    for section in table.sections:
        if section.format is CsvFormat.FOOTBALLCSV:
            check_footballcsv(section)
        else:
            check_football_data(section)
    return "csv", table


def detect_extension(data: bytes) -> str:
    """Detect the extension that belongs to the content of a file.

    Raises
    ------
    UnreadableFile
        The content is in none of the formats, or its dates are in two orders.
    """
    return detect_format(data)[0]
