"""Find the season of files in a folder of four digits, which may be no calendar year.

football-data.co.uk's folder of 2015-16 is `1516`, that of 2020-21 `2021`. Others name a season from autumn to spring
after its first or its last year.
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date

from football_assets.domain.leagues import TIME_ZONES
from football_assets.domain.seasons import season_of
from football_assets.raw.formats.csv_table import CsvTable
from football_assets.raw.formats.dates import parse_date
from football_assets.raw.formats.divisions import leagues_of
from football_assets.raw.formats.records import UnusableRecord

_FOUR_DIGITS = re.compile(r"[0-9]{4}")
_MIN_SHARE_OF_SEASON = 0.9
"""The season has this share of the file's days: others may be mistakes."""


def is_short_season(folder: str) -> bool:
    """Return whether a folder is named like football-data.co.uk's: `1516`, `9900`."""
    return _FOUR_DIGITS.fullmatch(folder) is not None and int(folder[2:]) == (int(folder[:2]) + 1) % 100


def season_of_year_folder(folder: str, table: CsvTable, league_id: str | None) -> str | None:
    """Return the season from autumn to spring that a folder of four digits means for the matches of a file.

    Parameters
    ----------
    folder
        The name of the folder, like `1516` or `2015`.
    league_id
        The league of the file's name. None: that of its rows.

    Returns
    -------
    str | None
        None if the league plays by the year or may do so, or if the matches are of another season.
    """
    league = league_id or next(
        filter(None, (each for part in table.sections for each in leagues_of(part))), ""
    )
    country, days = league.partition(".")[0], _days(table)
    if _FOUR_DIGITS.fullmatch(folder) is None or country not in TIME_ZONES or not days:
        return None
    seasons = [season_of(country, day) for day in days]
    season, count = Counter(seasons).most_common(1)[0]
    if "-" not in season or count < _MIN_SHARE_OF_SEASON * len(days):
        return None
    first_year = int(season[:4])
    if folder == f"{season[2:4]}{season[-2:]}":
        return season
    first = min(day for day, label in zip(days, seasons, strict=True) if label == season)
    is_year = int(folder) in (first_year, first_year + 1)
    return season if is_year and not begins_as_a_year(int(folder), first) else None


def begins_as_a_year(year: int, first: date) -> bool:
    """Return whether a season with a first match on a day may be that of a calendar year: it is in the first half."""
    return date(year, 1, 1) <= first < date(year, 7, 1)


def _days(table: CsvTable) -> Sequence[date]:
    days = []
    for section in table.sections:
        place = section.names.index("date")
        for record in section.records:
            try:
                days.append(parse_date(record.fields[place], table.order).day)
            except (IndexError, UnusableRecord):
                continue
    return days
