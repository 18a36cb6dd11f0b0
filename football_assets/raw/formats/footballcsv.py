"""Reads footballcsv: `Date,Team 1,FT,HT,Team 2`, dates like `Sat Aug 16 2014` or `2014-08-16`, `?` for an
unknown score.

`Round`, `Time`, `odds_home`, `odds_draw` and `odds_away` are read where a file has them; other columns are
ignored. `refused` is a column of files that `rebuilding.py` made: why a row is no match.
"""

import re
from datetime import date, time
from functools import lru_cache

from football_assets.raw.formats.lines import check_columns, fields_of, split_lines
from football_assets.raw.formats.marks import Mark, mark_of
from football_assets.raw.formats.reading import (
    RECORD_CHARACTERS,
    Reading,
    Refusal,
    Row,
    UnusableRecord,
    clean_name,
)

REQUIRED_COLUMNS = ("date", "team 1", "ft", "team 2")
OPTIONAL_COLUMNS = ("time", "round", "odds_home", "odds_draw", "odds_away")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE_IN_WORDS = re.compile(r"(?:[^\W\d]{2,9},?\s+)?([A-Za-z]{3})[A-Za-z]*\s+(\d{1,2}),?\s+(\d{4})")
_SCORE = re.compile(r"(-?\d{1,9})\s*[-–:]\s*(-?\d{1,9})", re.ASCII)
_MARKED_SCORE = re.compile(r"(-?\d{1,9})\s*[-–:]\s*(-?\d{1,9})\s*([^\d\s].*)", re.ASCII)
_UNKNOWN_SCORES = {"", "?", "-", "?-?"}


def check_names(names: list[str]) -> None:
    """Refuse a header without the columns of a result.

    Raises
    ------
    UnreadableFile
        A required column is missing.
    """
    check_columns(names, REQUIRED_COLUMNS, "Date,Team 1,FT,HT,Team 2")


def read_footballcsv(data: bytes) -> Reading:
    """Read a CSV file of results.

    A row too short to hold a date, two teams and a score, or with a date or score that cannot be read, is
    refused with its line; so is a score after extra time (`2-1 aet`). A match that was awarded or abandoned
    (`3-0 (*)`, `a.w.`) is void. A postponed one (`P-P`) is a fixture. A time or odds that are no such
    thing are left out: nothing depends on a time, and odds are only compared with.

    Raises
    ------
    UnreadableFile
        The file is empty, no text, or lacks a required column.
    """
    names, numbered = split_lines(data)
    check_names(names)
    day, home, score, away = (names.index(name) for name in REQUIRED_COLUMNS)
    optional = [names.index(name) if name in names else None for name in OPTIONAL_COLUMNS]
    needed, width = max(day, home, score, away) + 1, len(names)
    refused = names.index("refused") if "refused" in names else width
    reading = Reading()
    for line, text in numbered:
        fields = fields_of(text)
        try:
            if len(fields) < needed:
                raise UnusableRecord(f"The row is short: {len(fields)} of {width} fields.")
            if len(fields) > width and any(surplus.strip() for surplus in fields[width:]):
                raise UnusableRecord(
                    "The row has more fields than the header: quote a name that contains a comma."
                )
            if refused < len(fields) and fields[refused]:
                raise UnusableRecord(fields[refused])
            home_goals, away_goals, void = read_score(fields[score])
            row = Row(
                line,
                None,
                text[:RECORD_CHARACTERS],
                read_date(fields[day]),
                None,
                fields[home],
                fields[away],
                home_goals,
                away_goals,
                void=void,
            )
            reading.rows.append(_with_optional(row, fields, optional))
        except UnusableRecord as error:
            reading.refusals.append(Refusal(line, None, text[:RECORD_CHARACTERS], str(error)))
    return reading


def _with_optional(row: Row, fields: list[str], optional: list[int | None]) -> Row:
    if optional == [None] * len(optional):
        return row
    clock, listed_round, *odds = [
        fields[at] if at is not None and at < len(fields) else "" for at in optional
    ]
    home, draw, away = map(_decimal, odds)
    return row._replace(
        kickoff_time=_time(clock),
        round=clean_name(listed_round),
        odds_home=home,
        odds_draw=draw,
        odds_away=away,
    )


@lru_cache(maxsize=1 << 14)
def read_date(text: str) -> date:
    """The day that a text like `Sat Aug 16 2014` or `2014-08-16` names.

    Raises
    ------
    UnusableRecord
        It names none.
    """
    try:
        words = _DATE_IN_WORDS.fullmatch(text.strip())
        if words is None:
            return date.fromisoformat(text.strip())
        month, day, year = words.groups()
        return date(int(year), _MONTHS.index(month.lower()) + 1, int(day))
    except ValueError:
        raise UnusableRecord(f"The date '{text}' does not exist or is not like 'Sat Aug 16 2014'.") from None


@lru_cache(maxsize=1 << 12)
def read_score(text: str) -> tuple[int | None, int | None, str | None]:
    """Goals of both teams, null if they are not known, and why they are no result of play.

    Raises
    ------
    UnusableRecord
        The text is no score of 90 minutes.
    """
    text = text.strip()
    score = _SCORE.fullmatch(text)
    if score is not None:
        return int(score[1]), int(score[2]), None
    if text in _UNKNOWN_SCORES:
        return None, None, None
    marked = _MARKED_SCORE.fullmatch(text)
    mark = mark_of(marked[3] if marked else text)
    if mark is Mark.NO_RESULT:
        void = f"The score '{text}' is marked as awarded, abandoned or the like: no result of play."
        return (int(marked[1]), int(marked[2]), void) if marked else (None, None, void)
    if mark is Mark.EXTRA_TIME:
        raise UnusableRecord(
            f"The score '{text}' is not that of 90 minutes: give that one, and extra time in a column of its own."
        )
    if mark is Mark.TO_PLAY and marked is None:
        return None, None, None
    raise UnusableRecord(f"The score '{text}' is not like '2-1' or '?'.")


@lru_cache(maxsize=1 << 12)
def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text.strip()) if text else None
    except ValueError:
        return None


def _decimal(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
