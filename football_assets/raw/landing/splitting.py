"""Splits a file that spans seasons or leagues, as football-data.co.uk's `ARG.csv` and `fixtures.csv` do, into one file
of results a season and league. Called by `placing.py`.
"""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from football_assets.domain.seasons import parse_season, season_of, season_window
from football_assets.raw.formats.csv_table import CsvFormat, CsvRecord, CsvSection, CsvTable
from football_assets.raw.formats.dates import DateOrder, parse_date
from football_assets.raw.formats.football_data import divisions_of, leagues_of
from football_assets.raw.formats.records import UnreadableFile, UnusableRecord


@dataclass(frozen=True)
class FilePart:
    """The lines of one season and league, below their header, and the line of the whole file that each line of `data`
    stands for; None: a header."""

    season: str
    league_id: str
    data: bytes
    lines: tuple[int | None, ...]


def spans_leagues(table: CsvTable) -> bool:
    """Whether a file is in a format that holds all seasons of a league, or all leagues."""
    return any(section.format is CsvFormat.EXTRA_LEAGUE for section in table.sections)


def names_no_division(table: CsvTable) -> bool:
    """Whether no row of a file says which division it is of."""
    return not _divisions(table)


def split_by_season_and_league(table: CsvTable, season: str | None, league_id: str | None) -> list[FilePart]:
    """Split a file by season and league, the header kept.

    The season of a row is that of its column `Season`; else `season`, where its day lies in that; else the season that
    its league plays on its day. A row whose season or league is not known goes with the row above it, and is rejected
    there. Dates are written like `2014-08-16` where the file has the month first, since a part may not show that.

    Parameters
    ----------
    season
        The season that the file's folder says, or None.
    league_id
        The league that the file's name says, which all rows then are taken for, or None.

    Raises
    ------
    UnreadableFile
        No row says a league that is known and a season.
    """
    parts: dict[tuple[str, str], _Lines] = defaultdict(_Lines)
    unplaced: list[tuple[CsvSection, CsvRecord]] = []
    last: tuple[str, str] | None = None
    for section in table.sections:
        leagues = [league_id] * len(section.records) if league_id else leagues_of(section)
        for record, league in zip(section.records, leagues, strict=True):
            found = _season(section, record, league, table.order, season) if league else None
            last = (found, league) if found and league else last
            if last is None:
                unplaced.append((section, record))
                continue
            for waiting in unplaced:
                parts[last].add(*waiting, table)
            unplaced = []
            parts[last].add(section, record, table)
    if not parts:
        raise UnreadableFile(_unplaceable(table))
    for record in table.above:
        next(iter(parts.values())).put_first(record)
    return [
        FilePart(of_season, league, *lines.content()) for (of_season, league), lines in sorted(parts.items())
    ]


class _Lines:
    """The lines of one part."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._numbers: list[int | None] = []
        self._section: CsvSection | None = None

    def add(self, section: CsvSection, record: CsvRecord, table: CsvTable) -> None:
        if section is not self._section:
            self._section = section
            self._texts.append(section.header)
            self._numbers.append(None)
        self._texts.append(_text(section, record, table))
        self._numbers.append(record.line)

    def put_first(self, record: CsvRecord) -> None:
        self._texts.insert(0, record.text)
        self._numbers.insert(0, record.line)

    def content(self) -> tuple[bytes, tuple[int | None, ...]]:
        return ("\n".join(self._texts) + "\n").encode(), tuple(self._numbers)


def _text(section: CsvSection, record: CsvRecord, table: CsvTable) -> str:
    """The line, its date in an order that every reader sees."""
    place = section.names.index("date")
    if table.order is DateOrder.DAY_FIRST or place >= len(record.fields):
        return record.text
    try:
        day = parse_date(record.fields[place], table.order).day
    except UnusableRecord:
        return record.text
    fields = [*record.fields]
    fields[place] = day.isoformat()
    line = io.StringIO()
    csv.writer(line, delimiter=table.delimiter, lineterminator="").writerow(fields)
    return line.getvalue()


def _season(
    section: CsvSection, record: CsvRecord, league_id: str, order: DateOrder, folder: str | None
) -> str | None:
    """The season of a row, or None where neither a label nor its date says one."""
    listed = parse_season(_field(section, record, "season"))
    if listed is not None:
        return listed
    try:
        day = parse_date(_field(section, record, "date"), order).day
    except UnusableRecord:
        return folder
    if folder is not None and _is_in(day, folder):
        return folder
    return season_of(league_id.partition(".")[0], day)


def _is_in(day: date, season: str) -> bool:
    first, last = season_window(season)
    return first <= day <= last


def _field(section: CsvSection, record: CsvRecord, name: str) -> str:
    place = section.names.index(name) if name in section.names else len(record.fields)
    return record.fields[place] if place < len(record.fields) else ""


def _unplaceable(table: CsvTable) -> str:
    """Why no row of a file has a place."""
    divisions = _divisions(table)
    if not divisions:
        return "No row of the file says a division, and its name is no league: name it like 'E0.csv' or 'eng.1.csv'."
    return (
        f"The file is of {'; '.join(divisions[:3])}, which is not known here: name it after its league, like "
        "'dk.1.csv', or add the division to football_assets/domain/seeds/leagues.csv, as is Denmark/Superliga of dk.1."
    )


def _divisions(table: CsvTable) -> list[str]:
    return [division for section in table.sections for division in divisions_of(section)]
