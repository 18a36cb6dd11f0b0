"""Season labels: `2014-15` (autumn to spring) and `2014` (a calendar year). Read by landing and the rules."""

import re
from datetime import date

_LABEL = re.compile(r"(\d{4})(?:[-/_](\d{2}|\d{4}))?")
_AT_THE_END = re.compile(rf"(?:^|[\s_-]){_LABEL.pattern}$")


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
