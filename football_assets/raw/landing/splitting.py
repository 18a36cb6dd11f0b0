"""Split a file that spans seasons or leagues into one file of results a season and league.

Examples of such files are football-data.co.uk's `ARG.csv` and `fixtures.csv`.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from football_assets.domain.leagues import TIME_ZONES
from football_assets.domain.seasons import parse_season, season_of, season_window
from football_assets.raw.formats.csv_table import CsvFormat, CsvRecord, CsvSection, CsvTable
from football_assets.raw.formats.dates import DateOrder, parse_date
from football_assets.raw.formats.divisions import divisions_of, leagues_of
from football_assets.raw.formats.records import UnreadableFile, UnusableRecord
from football_assets.raw.landing.year_folders import begins_as_a_year

_SPANNING = (CsvFormat.EXTRA_LEAGUE, CsvFormat.FIVETHIRTYEIGHT, CsvFormat.EXPECTED_GOALS)
_OF_FIRST_YEARS = (CsvFormat.FIVETHIRTYEIGHT, CsvFormat.EXPECTED_GOALS)
"""Formats whose column `season` may have the first year alone."""


@dataclass(frozen=True)
class FilePart:
    """The lines of one season and league below their header.

    `lines`: the line number in the whole file of each line of `data`; None for a header.
    """

    season: str
    league_id: str
    data: bytes
    lines: tuple[int | None, ...]


def spans_leagues(table: CsvTable) -> bool:
    """Return whether a file has a format that holds all seasons of a league, or all leagues."""
    return any(section.format in _SPANNING for section in table.sections)


def competitions_left_out(table: CsvTable) -> str | None:
    """Say how many rows of FiveThirtyEight's file are of competitions that are no league of `leagues.csv`."""
    labels = [
        league is None
        for section in table.sections
        if section.format is CsvFormat.FIVETHIRTYEIGHT
        for league in leagues_of(section)
    ]
    if not any(labels):
        return None
    return (
        f"{sum(labels):,} of its {len(labels):,} rows are of competitions that have no name of FiveThirtyEight in "
        "football_assets/domain/seeds/leagues.csv."
    )


def names_no_division(table: CsvTable) -> bool:
    """Return whether no row of a file names its division."""
    return not _divisions(table)


def split_by_season_and_league(table: CsvTable, season: str | None, league_id: str | None) -> list[FilePart]:
    """Split a file by season and league. Each part repeats the header.

    The season of a row is that of its column `Season`; else `season`, if it contains the day; else the season in which
    the league plays on that day. The first or the last year alone is no season of a league that plays from autumn to
    spring (`_years_within_seasons`). Files that only add measures are split by day, whatever their column says. A row
    of unknown season or league is written below the row above it, and is rejected there. Where the file has the month
    first, dates are rewritten like `2014-08-16`, since a part alone may not prove that order.

    Parameters
    ----------
    season
        The season of the file's folder, or None.
    league_id
        The league of the file name, which then applies to all rows, or None.

    Raises
    ------
    UnreadableFile
        No row has a known league and a season.
    """
    parts: dict[tuple[str, str], _Lines] = defaultdict(_Lines)
    unplaced: list[tuple[CsvSection, CsvRecord]] = []
    last: tuple[str, str] | None = None
    years = _years_within_seasons(table, league_id)
    for section in table.sections:
        for record, league in zip(section.records, _leagues(section, league_id), strict=True):
            if league is None and section.format is CsvFormat.FIVETHIRTYEIGHT:
                continue  # counted by `competitions_left_out`
            found = _season(section, record, league, table.order, season, years) if league else None
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
    """Collect the lines of one part."""

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
    """Return the text of a record, its date rewritten to ISO where the file has the month first."""
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


def _leagues(section: CsvSection, league_id: str | None) -> list[str | None]:
    """Return the league of each record: that of the file name, else that of its columns."""
    return [league_id] * len(section.records) if league_id else leagues_of(section)


def _years_within_seasons(table: CsvTable, league_id: str | None) -> set[tuple[str, str]]:
    """Find leagues and years of the column `Season` that mean a season from autumn to spring: `2015` of 2015-16.

    The matches of such a year are all of seasons from autumn to spring, and do not begin as a calendar year does.
    """
    days: dict[tuple[str, str], set[date]] = defaultdict(set)
    for section in table.sections:
        for record, league in zip(section.records, _leagues(section, league_id), strict=True):
            listed = parse_season(_field(section, record, "season"))
            day = _day(section, record, table.order)
            if league is not None and listed is not None and "-" not in listed and day is not None:
                days[league, listed].add(day)
    return {
        (league, year)
        for (league, year), played in days.items()
        if (country := league.partition(".")[0]) in TIME_ZONES
        and all("-" in season_of(country, day) for day in played)
        and not begins_as_a_year(int(year), min(played))
    }


def _season(
    section: CsvSection,
    record: CsvRecord,
    league_id: str,
    order: DateOrder,
    folder: str | None,
    years: Collection[tuple[str, str]],
) -> str | None:
    """Return the season of a row, or None if neither its columns nor its date give one."""
    listed = parse_season(_field(section, record, "season"))
    is_season = listed is not None and (league_id, listed) not in years
    if is_season and section.format not in _OF_FIRST_YEARS:
        return listed
    day = _day(section, record, order)
    if day is None:
        return folder
    if folder is not None and _is_in(day, folder):
        return folder
    return season_of(league_id.partition(".")[0], day)


def _day(section: CsvSection, record: CsvRecord, order: DateOrder) -> date | None:
    try:
        return parse_date(_field(section, record, "date"), order).day
    except UnusableRecord:
        return None


def _is_in(day: date, season: str) -> bool:
    first, last = season_window(season)
    return first <= day <= last


def _field(section: CsvSection, record: CsvRecord, name: str) -> str:
    place = section.names.index(name) if name in section.names else len(record.fields)
    return record.fields[place] if place < len(record.fields) else ""


def _unplaceable(table: CsvTable) -> str:
    """Return the reason why no row of a file has a season and league."""
    divisions = _divisions(table)
    if not divisions:
        return (
            "No row of the file names a division, and its name is not a league: name it like 'E0.csv' or "
            "'eng.1.csv'."
        )
    return (
        f"The file is of {'; '.join(divisions[:3])}, which is not known here: name it after its league, like "
        "'dk.1.csv', or add the division to football_assets/domain/seeds/leagues.csv, as is Denmark/Superliga of dk.1."
    )


def _divisions(table: CsvTable) -> list[str]:
    return [division for section in table.sections for division in divisions_of(section)]
