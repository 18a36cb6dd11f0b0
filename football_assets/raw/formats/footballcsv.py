"""Parse footballcsv's files: `Date,Team 1,FT,HT,Team 2`, with `?` for an unknown score.

`HT`, the score at half-time, `Round`, `Time`, `odds_home`, `odds_draw`, `odds_away`, `home_xg` and `away_xg` are
optional; other columns are ignored.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from football_assets.raw.formats.csv_lines import check_columns
from football_assets.raw.formats.csv_table import HEADER_EXAMPLES, CsvFormat, CsvRecord, CsvSection
from football_assets.raw.formats.dates import DateOrder, parse_date, parse_time
from football_assets.raw.formats.match_status import MatchStatus, parse_status
from football_assets.raw.formats.measure_columns import XG_MEASURES, half_time_measures, read_measures
from football_assets.raw.formats.numbers import is_missing, parse_listed_odds
from football_assets.raw.formats.records import (
    RECORD_CHARACTERS,
    MatchRow,
    ParsedFile,
    Rejection,
    UnusableRecord,
    clean_name,
)

REQUIRED_COLUMNS = ("date", "team 1", "ft", "team 2")
REJECTED_COLUMN = "refused"
"""Column of the files of `kaggle.result_files`: the reason why a row is rejected. Landed files have this name."""
OPTIONAL_COLUMNS = ("time", "round", "odds_home", "odds_draw", "odds_away")
_DASHES = ":–—−‐-"
_SCORE = re.compile(rf"(-?\d{{1,9}})\s*[{_DASHES}]\s*(-?\d{{1,9}})", re.ASCII)
_MARKED_SCORE = re.compile(rf"(-?\d{{1,9}})\s*[{_DASHES}]\s*(-?\d{{1,9}})\s*([^\d\s].*)", re.ASCII)
_UNKNOWN_SCORE = re.compile(rf"[?\s{_DASHES}]*")


@dataclass(frozen=True)
class _Columns:
    """Positions of a section's columns."""

    width: int
    needed: tuple[int, ...]
    optional: tuple[int, ...]
    rejected: int
    half_time: int


def check_footballcsv(section: CsvSection) -> None:
    """Check that a section has the columns of a result.

    Raises
    ------
    UnreadableFile
        A required column is missing.
    """
    check_columns(section.names, REQUIRED_COLUMNS, HEADER_EXAMPLES[CsvFormat.FOOTBALLCSV])


def read_footballcsv(section: CsvSection, order: DateOrder) -> ParsedFile:
    """Parse the matches of a section.

    A row is rejected if it is too short to hold a date, two teams and a score, has an unreadable date or score, or a
    score after extra time (`2-1 aet`). A match that was awarded or abandoned (`3-0 (*)`, `a.w.`) is void. A postponed
    one (`P-P`) is a fixture. An unreadable time is dropped, since no feature depends on it. Odds that are
    not decimal numbers are NaN, so that `rules.odds_are_unusable` reports them.

    Raises
    ------
    UnreadableFile
        A required column is missing.
    """
    check_footballcsv(section)
    names = section.names
    width = len(names)
    columns = _Columns(
        width,
        tuple(names.index(name) for name in REQUIRED_COLUMNS),
        tuple(names.index(name) if name in names else width for name in OPTIONAL_COLUMNS),
        names.index(REJECTED_COLUMN) if REJECTED_COLUMN in names else width,
        names.index("ht") if "ht" in names else width,
    )
    reading = ParsedFile()
    half_times: list[tuple[int | None, int | None]] = []
    measured: list[list[str]] = []
    for record in section.records:
        try:
            reading.rows.append(_row(record, columns, order))
            half_times.append(_half_time(record.fields, columns))
            measured.append(record.fields)
        except UnusableRecord as error:
            reading.rejections.append(
                Rejection(record.line, None, record.text[:RECORD_CHARACTERS], str(error))
            )
    expected_goals = read_measures(measured, names, XG_MEASURES)
    reading.measures.append(
        expected_goals.join(half_time_measures(half_times), on="place", maintain_order="left")
        if columns.half_time < width
        else expected_goals
    )
    return reading


def _half_time(fields: list[str], columns: _Columns) -> tuple[int | None, int | None]:
    text = fields[columns.half_time] if columns.half_time < min(len(fields), columns.width) else ""
    return parse_half_time(text)


def _row(record: CsvRecord, columns: _Columns, order: DateOrder) -> MatchRow:
    fields, width = record.fields, columns.width
    if len(fields) <= max(columns.needed):
        raise UnusableRecord(f"The row is short: {len(fields)} of {width} fields.")
    if len(fields) > width and any(surplus.strip() for surplus in fields[width:]):
        raise UnusableRecord("The row has more fields than the header: quote a name that contains a comma.")
    if columns.rejected < min(len(fields), width) and fields[columns.rejected]:
        raise UnusableRecord(fields[columns.rejected])
    day, home, score, away = (fields[place] for place in columns.needed)
    home_goals, away_goals, void = parse_score(score)
    moment = parse_date(day, order)
    row = MatchRow(
        record.line,
        None,
        record.text[:RECORD_CHARACTERS],
        moment.day,
        moment.clock if moment.zone is None else None,  # the country is not known here
        home,
        away,
        home_goals,
        away_goals,
        void=void or moment.void,
    )
    return _with_optional(row, fields, columns)


def _with_optional(row: MatchRow, fields: list[str], columns: _Columns) -> MatchRow:
    if all(place == columns.width for place in columns.optional):
        return row
    clock, listed_round, *odds = (
        fields[place] if place < min(len(fields), columns.width) else "" for place in columns.optional
    )
    home, draw, away = map(parse_listed_odds, odds)
    return row._replace(
        kickoff_time=parse_time(clock) or row.kickoff_time,
        round=clean_name(listed_round),
        odds_home=home,
        odds_draw=draw,
        odds_away=away,
    )


@lru_cache(maxsize=1 << 8)
def parse_half_time(text: str) -> tuple[int | None, int | None]:
    """Parse the score at half-time. Return None for both teams if it is unknown or unreadable.

    >>> parse_half_time("1-0"), parse_half_time("(1-0)"), parse_half_time("?")
    ((1, 0), (1, 0), (None, None))
    """
    score = _SCORE.fullmatch(text.strip(" ()[]"))
    return (int(score[1]), int(score[2])) if score is not None else (None, None)


@lru_cache(maxsize=1 << 12)
def parse_score(text: str) -> tuple[int | None, int | None, str | None]:
    """Parse a score.

    Returns
    -------
    tuple[int | None, int | None, str | None]
        Goals of both teams, None if they are unknown, and the reason why they are no result of play, if they are not.

    Raises
    ------
    UnusableRecord
        The text is not a score of 90 minutes.
    """
    text = text.strip()
    score = _SCORE.fullmatch(text)
    if score is not None:
        return int(score[1]), int(score[2]), None
    if _UNKNOWN_SCORE.fullmatch(text) is not None or is_missing(text):
        return None, None, None
    marked = _MARKED_SCORE.fullmatch(text)
    mark = parse_status(marked[3] if marked else text)
    if mark is MatchStatus.NO_RESULT:
        void = f"The score '{text}' is marked as awarded, abandoned or the like: no result of play."
        return (int(marked[1]), int(marked[2]), void) if marked else (None, None, void)
    if mark is MatchStatus.EXTRA_TIME:
        raise UnusableRecord(
            f"The score '{text}' is not that of 90 minutes: give that one, and extra time in a column of its own."
        )
    if mark is MatchStatus.TO_PLAY and marked is None:
        return None, None, None
    raise UnusableRecord(f"The score '{text}' is not like '2-1' or '?'.")
