"""Season labels: `2014-15` (autumn to spring) and `2014` (a calendar year). Read by landing, the rules and syncing."""

import re
from collections.abc import Iterable
from datetime import date, timedelta

_LABEL = re.compile(r"(\d{4})(?:[-/_](\d{2}|\d{4}))?")
_AT_THE_END = re.compile(rf"(?:^|[\s_-]){_LABEL.pattern}$")

_FIRST_MONTH = 7  # of a season from autumn to spring
_CALENDAR_YEAR = {"ar", "br", "cl", "cn", "ec", "fi", "ie", "jp", "kr", "no", "se", "us", "ve"}
# Some of them played from autumn to spring for a time: the first day, and the day after the last.
_AUTUMN_YEARS = {
    "ar": ((date.min, date(2014, 7, 1)), (date(2016, 7, 1), date(2020, 7, 1))),
    "cl": ((date(2013, 7, 1), date(2017, 7, 1)),),
    "ve": ((date.min, date(2016, 1, 1)),),
}
# The pandemic: by country, the day before which matches of 2020 belong to 2019-20, and other late ends.
_FIRST_DAY_OF_2020_21 = {
    "be": date(2020, 8, 6),
    "ch": date(2020, 9, 1),
    "dk": date(2020, 8, 15),
    "es": date(2020, 8, 25),
    "it": date(2020, 8, 25),
    "mx": date(2020, 7, 1),
    "ro": date(2020, 8, 15),
    "sco": date(2020, 7, 1),
}
_FIRST_DAY_OF_OTHERS_OF_2020_21 = date(2020, 8, 6)
_LATE_ENDS = {
    ("ar", 2020): date(2021, 1, 31),
    ("br", 2020): date(2021, 2, 28),
    ("cl", 2020): date(2021, 2, 28),
    ("cn", 2021): date(2022, 1, 31),
}
_MONTHS_AFTER = 2  # in which the previous season is requested, too


def parse_season(text: str) -> str | None:
    """Return the season label of a folder's name, or None if it names no season.

    >>> parse_season("2014-2015"), parse_season("2014"), parse_season("2014-16"), parse_season("data")
    ('2014-15', '2014', None, None)
    """
    return _label(_LABEL.fullmatch(text.strip()))


def season_in_title(title: str) -> str | None:
    """Return the season that a title ends with, as in `English Premier League 2015/16`, or None."""
    return _label(_AT_THE_END.search(title.strip()))


def season_window(season: str) -> tuple[date, date]:
    """Return the first and the last day on which a match of the season can be played.

    Wide enough for play-offs and for the seasons of 2020 that ended late.
    """
    year = int(season[:4])
    if "-" in season:
        return date(year, 6, 1), date(year + 1, 9, 1)
    return date(year, 1, 1), date(year + 1, 3, 15)


def overlapping_seasons(season: str, among: Iterable[str]) -> list[str]:
    """Return the other seasons in whose windows a match of this one may lie: both folders may list it.

    >>> overlapping_seasons("2019-20", ["2017-18", "2018-19", "2018", "2019", "2019-20", "2020-21"])
    ['2018-19', '2019', '2020-21']
    """
    first, last = season_window(season)
    windows = {other: season_window(other) for other in sorted(among) if other != season}
    return [other for other, (start, end) in windows.items() if start <= last and first <= end]


def season_that_owns(country: str, day: date, seasons: Iterable[str]) -> str:
    """Choose the season of a match among those that list it: that of its day, else the one with the nearest middle.

    >>> season_that_owns("br", date(2021, 2, 1), ["2020", "2021"])
    '2020'
    """
    listing = sorted(seasons)
    own = season_of(country, day)
    if own in listing:
        return own

    def days_from_middle(season: str) -> timedelta:
        first, last = season_window(season)
        return abs(day - (first + (last - first) / 2))

    return min(listing, key=days_from_middle)


def season_of(country: str, day: date) -> str:
    """Return the season that a match belongs to, for a source that names none.

    Parameters
    ----------
    country
        Of the league, as in `eng.1`: some play by the calendar year, the others from autumn to spring.
    day
        Of the match, local to the ground.

    >>> season_of("eng", date(2020, 7, 26)), season_of("sco", date(2020, 8, 1)), season_of("se", date(2020, 8, 1))
    ('2019-20', '2020-21', '2020')
    """
    is_calendar_year = country in _CALENDAR_YEAR and not any(
        first <= day < end for first, end in _AUTUMN_YEARS.get(country, ())
    )
    if is_calendar_year:
        is_late = day <= _LATE_ENDS.get((country, day.year - 1), date.min)
        return str(day.year - 1 if is_late else day.year)
    first_day = date(day.year, _FIRST_MONTH, 1)
    if day.year == 2020:
        first_day = _FIRST_DAY_OF_2020_21.get(country, _FIRST_DAY_OF_OTHERS_OF_2020_21)
    start = day.year if day >= first_day else day.year - 1
    return season_label(start)


def season_on(latest: str, day: date) -> str:
    """Return the season of a day in the form of a league's latest season: one that spans two years starts in July.

    For a league whose seasons are known; `season_of` answers for a source that names none.

    >>> season_on("2014-15", date(2016, 7, 1)), season_on("2014", date(2016, 7, 1))
    ('2016-17', '2016')
    """
    if "-" not in latest:
        return str(day.year)
    return season_label(day.year if day.month >= _FIRST_MONTH else day.year - 1)


def season_label(start: int) -> str:
    """Return the label of the season from autumn to spring that starts in a year.

    >>> season_label(1999)
    '1999-00'
    """
    return f"{start}-{(start + 1) % 100:02d}"


def current_seasons(today: date) -> list[str]:
    """Return the seasons whose results are still added or corrected on a day, the oldest first.

    >>> current_seasons(date(2025, 11, 1)), current_seasons(date(2025, 8, 1))
    (['2025', '2025-26'], ['2024-25', '2025', '2025-26'])
    """
    year = today.year
    autumn = year if today.month >= _FIRST_MONTH else year - 1
    starts = [autumn - 1, autumn] if _FIRST_MONTH <= today.month < _FIRST_MONTH + _MONTHS_AFTER else [autumn]
    years = [year - 1, year] if today.month <= _MONTHS_AFTER else [year]
    return sorted([*map(season_label, starts), *map(str, years)])


def _label(match: re.Match[str] | None) -> str | None:
    if match is None:
        return None
    first, second = match.groups()
    if not 1850 <= int(first) <= 2200:
        return None
    if second is None:
        return first
    following = int(first) + 1
    if int(second) != (following % 100 if len(second) == 2 else following):
        return None
    return season_label(int(first))
