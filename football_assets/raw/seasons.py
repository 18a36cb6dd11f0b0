"""Season labels: `2014-15` (autumn to spring) and `2014` (a calendar year). Read by landing, the rules and syncing."""

import re
from datetime import date

_LABEL = re.compile(r"(\d{4})(?:[-/_](\d{2}|\d{4}))?")
_AT_THE_END = re.compile(rf"(?:^|[\s_-]){_LABEL.pattern}$")

_FIRST_MONTH = 7  # of a season from autumn to spring
_MONTHS_AFTER = 2  # in which the season before is asked for too


def parse_season(text: str) -> str | None:
    """The label that a folder's name stands for, or None if it stands for no season.

    >>> parse_season("2014-2015"), parse_season("2014"), parse_season("2014-16"), parse_season("data")
    ('2014-15', '2014', None, None)
    """
    return _label(_LABEL.fullmatch(text.strip()))


def season_in_title(title: str) -> str | None:
    """The season that a title ends with, as in `English Premier League 2015/16`, or None."""
    return _label(_AT_THE_END.search(title.strip()))


def season_window(season: str) -> tuple[date, date]:
    """First and last day on which a match of the season can be played.

    Wide enough for play-offs and for the seasons of 2020 that ended late.
    """
    year = int(season[:4])
    if "-" in season:
        return date(year, 5, 1), date(year + 1, 9, 1)
    return date(year, 1, 1), date(year + 1, 3, 15)


def current_seasons(today: date) -> list[str]:
    """Seasons being played on a day, the oldest first: those whose results still come in or are corrected.

    >>> current_seasons(date(2025, 11, 1)), current_seasons(date(2025, 8, 1))
    (['2025', '2025-26'], ['2024-25', '2025', '2025-26'])
    """
    year = today.year
    autumn = year if today.month >= _FIRST_MONTH else year - 1
    starts = [autumn - 1, autumn] if _FIRST_MONTH <= today.month < _FIRST_MONTH + _MONTHS_AFTER else [autumn]
    years = [year - 1, year] if today.month <= _MONTHS_AFTER else [year]
    return sorted([f"{start}-{(start + 1) % 100:02d}" for start in starts] + [str(each) for each in years])


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
    return f"{first}-{following % 100:02d}"
