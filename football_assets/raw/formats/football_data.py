"""Reads football-data.co.uk: `Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,…`, dates dd/mm/yy or dd/mm/yyyy, odds.

Columns come and go by the year. `Time` is the time in the United Kingdom. Statistics of play are not read.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from football_assets.leagues import DIVISIONS, TIME_ZONES
from football_assets.raw.formats.lines import check_columns, fields_of, split_lines
from football_assets.raw.formats.reading import (
    RECORD_CHARACTERS,
    Reading,
    Refusal,
    Row,
    UnusableRecord,
)

REQUIRED_COLUMNS = ("date", "hometeam", "awayteam", "fthg", "ftag")
ODDS = (
    "AvgC",  # average over the bookmakers, at kick-off
    "Avg",  # average, days before
    "BbAv",  # average as BetBrain had it, until 2019
    "B365C",  # one bookmaker, at kick-off
    "B365",
    "PSC",
    "PS",
    "WH",
    "BW",
    "IW",
    "VC",
    "LB",
    "GB",
    "SB",
    "SJ",
)
"""Odds by what their columns begin with (`AvgCH`, `AvgCD`, `AvgCA`). Of each row the first that it has all three of
are read: averages before a bookmaker, since they depend on none; odds at kick-off before earlier ones."""

_OLDER_NAMES = {"ht": "hometeam", "at": "awayteam", "hg": "fthg", "ag": "ftag", "res": "ftr"}
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})", re.ASCII)
_GOALS = re.compile(r"-?\d{1,9}", re.ASCII)
_FIRST_SHORT_YEAR = 70  # 70 is 1970, 69 is 2069
_HOME = ZoneInfo("Europe/London")


def is_header(names: Sequence[str]) -> bool:
    """Whether a CSV's columns, in lower case, are this format's."""
    return "team 1" not in names and bool({"div", "hometeam", "fthg"} & set(names))


def check_names(names: list[str]) -> None:
    """Refuse a header without the columns of a result.

    Raises
    ------
    UnreadableFile
        A required column is missing.
    """
    check_columns(_current(names), REQUIRED_COLUMNS, "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG")


def league_in(data: bytes) -> str | None:
    """The league of a file by the division of its first row, or None if that names none.

    Raises
    ------
    UnreadableFile
        The file is empty or no text.
    """
    names, numbered = split_lines(data)
    if "div" not in names or not numbered:
        return None
    return DIVISIONS.get(_division(fields_of(numbered[0][1]), names.index("div")))


def read_football_data(data: bytes) -> Reading:
    """Read a CSV file of results.

    A row too short to hold a date, two teams and a score, of another division than the first row, or with a date or
    goals that cannot be read, is refused with its line. Without goals it is a fixture; with a result (`FTR`) but no
    goals, or other goals, it is refused: which of the two is wrong cannot be told. A time or odds that are no such
    thing are left out: nothing depends on a time, and odds are only compared with. A time is told in the country of
    the division, in which a late match may be on the next day.

    Raises
    ------
    UnreadableFile
        The file is empty, no text, or lacks a required column.
    """
    names, numbered = split_lines(data)
    check_names(names)
    names = _current(names)
    places = [names.index(name) for name in REQUIRED_COLUMNS]
    odds = _odds_columns(names)
    clock = names.index("time") if "time" in names else None
    division = names.index("div") if "div" in names else None
    result = names.index("ftr") if "ftr" in names else len(names)
    expected = None
    reading = Reading()
    for line, text in numbered:
        fields = fields_of(text)
        try:
            if len(fields) <= max(places):
                raise UnusableRecord(f"The row is short: {len(fields)} of {len(names)} fields.")
            listed = _division(fields, division)
            expected = expected or listed
            if listed != expected:
                raise UnusableRecord(f"The row is of division '{listed}', the file of '{expected}'.")
            day, home, away, home_goals, away_goals = [fields[place] for place in places]
            kickoff_date, kickoff_time = _kickoff(
                day, fields[clock] if clock is not None and clock < len(fields) else "", listed
            )
            goals = _goals(home_goals), _goals(away_goals)
            _check_result(fields[result] if result < len(fields) else "", goals)
            # With more fields than columns something before the odds may have moved them.
            is_surplus = any(surplus.strip() for surplus in fields[len(names) :])
            odds_home, odds_draw, odds_away = (None, None, None) if is_surplus else _odds(fields, odds)
            reading.rows.append(
                Row(
                    line,
                    None,
                    text[:RECORD_CHARACTERS],
                    kickoff_date,
                    kickoff_time,
                    home,
                    away,
                    *goals,
                    None,
                    odds_home,
                    odds_draw,
                    odds_away,
                )
            )
        except UnusableRecord as error:
            reading.refusals.append(Refusal(line, None, text[:RECORD_CHARACTERS], str(error)))
    return reading


def _current(names: list[str]) -> list[str]:
    """The names, older ones as the newer where those are missing."""
    return [
        _OLDER_NAMES[name] if name in _OLDER_NAMES and _OLDER_NAMES[name] not in names else name
        for name in names
    ]


def _division(fields: list[str], column: int | None) -> str:
    return fields[column].strip().upper() if column is not None and column < len(fields) else ""


def _odds_columns(names: list[str]) -> list[tuple[int, int, int]]:
    found = []
    for prefix in ODDS:
        home, draw, away = (f"{prefix}{outcome}".lower() for outcome in "HDA")
        if home in names and draw in names and away in names:
            found.append((names.index(home), names.index(draw), names.index(away)))
    return found


def _odds(
    fields: list[str], columns: list[tuple[int, int, int]]
) -> tuple[float | None, float | None, float | None]:
    for home, draw, away in columns:
        if max(home, draw, away) < len(fields):
            odds = (_decimal(fields[home]), _decimal(fields[draw]), _decimal(fields[away]))
            if None not in odds:
                return odds
    return None, None, None


def _decimal(text: str) -> float | None:
    """Odds that pay more than the stake."""
    try:
        odds = float(text)
    except ValueError:
        return None
    return odds if 1 < odds < float("inf") else None


@lru_cache(maxsize=1 << 14)
def _kickoff(day: str, clock: str, division: str) -> tuple[date, time | None]:
    """Day and time of kick-off in the country of the division."""
    kickoff_date = _date(day)
    zone = TIME_ZONES.get(DIVISIONS.get(division, "").partition(".")[0])
    kickoff_time = _time(clock)
    if kickoff_time is None or zone is None:
        return kickoff_date, None
    try:
        local = datetime.combine(kickoff_date, kickoff_time, _HOME).astimezone(ZoneInfo(zone))
    except OverflowError:  # past the last day that there is
        return kickoff_date, None
    return local.date(), local.time()


def _date(text: str) -> date:
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise UnusableRecord(f"The date '{text}' is not like '16/08/14' or '16/08/2014'.")
    day, month, year = (int(part) for part in match.groups())
    if len(match[3]) == 2:
        year += 1900 if year >= _FIRST_SHORT_YEAR else 2000
    try:
        return date(year, month, day)
    except ValueError:
        raise UnusableRecord(f"The date '{text}' does not exist.") from None


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text.strip()).replace(tzinfo=None) if text.strip() else None
    except ValueError:
        return None


@lru_cache(maxsize=1 << 10)
def _goals(text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if _GOALS.fullmatch(text) is None:
        raise UnusableRecord(f"The number of goals '{text}' is no whole number.")
    return int(text)


def _check_result(text: str, goals: tuple[int | None, int | None]) -> None:
    """Refuse a row whose result, H, D or A, is not that of its goals."""
    listed = text.strip().upper()
    if listed not in ("H", "D", "A"):
        return
    home, away = goals
    if home is None or away is None:
        raise UnusableRecord(f"Only the result '{listed}' is known, not the goals.")
    if listed != ("H" if home > away else "A" if home < away else "D"):
        raise UnusableRecord(f"The result '{listed}' contradicts the score {home}-{away}.")
