"""Split a CSV file into sections of records.

This module infers encoding, delimiter, header and date order, each for a file as a whole. All CSV parsers but that of
Kaggle's wide files take a `CsvTable`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from football_assets.raw.formats.csv_lines import BLANK, DELIMITERS, split_header, split_line
from football_assets.raw.formats.dates import DateOrder, infer_date_order, is_date
from football_assets.raw.formats.records import UnreadableFile, decode


class CsvFormat(StrEnum):
    """The CSV formats, each with its own parser."""

    FOOTBALLCSV = "footballcsv"
    FOOTBALL_DATA = "football-data.co.uk"
    EXTRA_LEAGUE = "football-data.co.uk's extra leagues"
    FIVETHIRTYEIGHT = "FiveThirtyEight's spi_matches.csv"
    EXPECTED_GOALS = "expected goals"


HEADER_EXAMPLES = {
    CsvFormat.FOOTBALLCSV: "Date,Team 1,FT,HT,Team 2",
    CsvFormat.FOOTBALL_DATA: "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG",
    CsvFormat.EXTRA_LEAGUE: "Country,League,Season,Date,Home,Away,HG,AG",
    CsvFormat.FIVETHIRTYEIGHT: "date,league,team1,team2,score1,score2,xg1,xg2",
    CsvFormat.EXPECTED_GOALS: "date,league,home,away,home_xg,away_xg",
}
_SIGNATURES = [
    (frozenset(("date", "team 1", "team 2")), CsvFormat.FOOTBALLCSV),
    (frozenset(("date", "hometeam", "awayteam")), CsvFormat.FOOTBALL_DATA),
    (frozenset(("date", "ht", "at")), CsvFormat.FOOTBALL_DATA),
    (frozenset(("date", "team1", "team2", "xg1", "xg2")), CsvFormat.FIVETHIRTYEIGHT),
    (frozenset(("date", "home", "away", "home_xg", "away_xg")), CsvFormat.EXPECTED_GOALS),
    (frozenset(("date", "home", "away")), CsvFormat.EXTRA_LEAGUE),
]
"""A line with all of these names is a header of the first such format."""
_GOALS = frozenset(("hg", "ag", "fthg", "ftag"))
"""A file of expected goals has none of these columns: with them it is a file of results."""
_HINTS = [
    (frozenset(("div", "hometeam", "fthg")), CsvFormat.FOOTBALL_DATA),
    (frozenset(("country", "league", "hg")), CsvFormat.EXTRA_LEAGUE),
]
"""A first line with one of these names is probably an incomplete header of the format."""
_LINES_TO_SEARCH = 50  # for the header, blank lines not counted
_SEPARATOR = re.compile(r'\s*"?sep=(.)"?[\s,;|]*', re.IGNORECASE | re.DOTALL)
_DATE_COLUMN = re.compile("date", re.IGNORECASE)
_FOOTBALL_TXT = re.compile(
    r"^\s*(?:= \S.*|[»▪].*|\[?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w* \w{3}[ /]\d+.*)$", re.MULTILINE
)


class CsvRecord(NamedTuple):
    """One line: its number (from 1), its text and its fields."""

    line: int
    text: str
    fields: list[str]


@dataclass(frozen=True)
class CsvSection:
    """The lines below one header. `names`: its columns, in lower case."""

    format: CsvFormat
    header: str
    names: list[str]
    records: list[CsvRecord]


@dataclass(frozen=True)
class CsvTable:
    """A file of results. `above`: lines above the first header, which are not matches."""

    delimiter: str
    order: DateOrder
    sections: list[CsvSection]
    above: list[CsvRecord]


def read_csv_table(data: bytes) -> CsvTable:
    """Split a CSV file of results into sections.

    The header is the first line that has the columns of a format. Blank lines, comments (`#`) and `sep=;` above it are
    skipped. Another header below it starts a new section. An index without a column name, which programs write before
    each row, is ignored.

    Raises
    ------
    UnreadableFile
        The file is empty, not text, has no header of a known format, a header behind a match on one line, or dates in
        two orders.
    """
    lines = list(_lines(data))
    number, delimiter = _find_header(lines)
    sections: list[CsvSection] = []
    for line, text in lines[number:]:
        found = _format_of(text, delimiter)
        if found is not None:
            names = split_header(text, delimiter)
            _check_header_alone(line, text, names)
            sections.append(CsvSection(found, text, names, []))
        else:
            sections[-1].records.append(CsvRecord(line, text, split_line(text, delimiter)))
    sections = [_with_index(section) for section in sections]
    above = [
        CsvRecord(line, text, split_line(text, delimiter))
        for line, text in lines[:number]
        if not _is_preamble(text)
    ]
    return CsvTable(delimiter, infer_date_order(_dates(sections)), sections, above)


def _lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers."""
    for number, line in enumerate(re.split(r"\r\n|\n|\r", decode(data)), start=1):
        if line.strip(BLANK):
            yield number, line


def _find_header(lines: Sequence[tuple[int, str]]) -> tuple[int, str]:
    """Return the position of the header among the lines, and its delimiter."""
    for place, (_, text) in enumerate(lines[:_LINES_TO_SEARCH]):
        for delimiter in DELIMITERS:
            if _format_of(text, delimiter) is not None:
                return place, delimiter
    raise UnreadableFile(_without_header(lines))


def _check_header_alone(line: int, text: str, names: Sequence[str]) -> None:
    """Reject a header with a date among its names: files were joined, of which the first had no line end at its end.

    Raises
    ------
    UnreadableFile
        The header is on one line with a match.
    """
    if any(map(is_date, names)):
        raise UnreadableFile(
            f"Line {line} is a match and the header of another file, '{text.strip()[:80]}': begin a line before that "
            "header."
        )


def _format_of(line: str, delimiter: str) -> CsvFormat | None:
    """Return the format of which a line is a header, or None."""
    if _DATE_COLUMN.search(line) is None:
        return None
    names = frozenset(split_header(line, delimiter))
    kinds = (kind for signature, kind in _SIGNATURES if signature <= names)
    return next((kind for kind in kinds if kind is not CsvFormat.EXPECTED_GOALS or not names & _GOALS), None)


def _without_header(lines: Sequence[tuple[int, str]]) -> str:
    """Return the error message for lines without a header: what they are, and what is expected."""
    text = "\n".join(line for _, line in lines[:_LINES_TO_SEARCH])
    if len(_FOOTBALL_TXT.findall(text)) > 1:
        return (
            "The file is in openfootball's Football.TXT format, which is not read: land the same results as JSON "
            "(openfootball/football.json) or as CSV (footballcsv)."
        )
    number, first = next(((n, line) for n, line in lines if not _is_preamble(line)), (1, ""))
    delimiter = max(DELIMITERS, key=lambda each: len(split_line(first, each)))
    names = split_header(first, delimiter)
    meant = next((kind for hints, kind in _HINTS if hints & set(names)), None)
    needed = next(sorted(signature) for signature, kind in _SIGNATURES if meant in (kind, None))
    missing = [name for name in needed if name not in names]
    split = f", split at {DELIMITERS[delimiter]}," if delimiter in first else ""
    examples = "' or '".join(example for kind, example in HEADER_EXAMPLES.items() if meant in (kind, None))
    return (
        f"The file has no header of results: line {number}{split} is '{first.strip()[:80]}', which lacks the column(s) "
        f"{', '.join(missing)}. A header is like '{examples}', with commas, semicolons, tabs or vertical bars."
    )


def _is_preamble(text: str) -> bool:
    """Return whether a line above the header is a comment or a `sep=` declaration."""
    return text.lstrip().startswith("#") or _SEPARATOR.fullmatch(text) is not None


def _with_index(section: CsvSection) -> CsvSection:
    """Add a column without a name if each row begins with an index that the header lacks."""
    if not section.records or any(
        len(record.fields) != len(section.names) + 1 or not record.fields[0].isdecimal()
        for record in section.records
    ):
        return section
    return CsvSection(section.format, section.header, ["", *section.names], section.records)


def _dates(sections: Sequence[CsvSection]) -> Iterator[tuple[str, str]]:
    for section in sections:
        place = section.names.index("date")
        for record in section.records:
            if place < len(record.fields):
                yield f"line {record.line}", record.fields[place]
