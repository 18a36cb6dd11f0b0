"""Parse football-data.co.uk's files, and FiveThirtyEight's and plain CSV files of expected goals.

The main format is `Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,…`, that of the extra leagues
`Country,League,Season,Date,Home,Away,HG,AG,…`. Both have odds; lists of fixtures lack the columns of goals. Other
columns differ from year to year. `Time` is the time in the United Kingdom; in a plain file in the format of the extra
leagues, which has no column `Country`, it is that at the ground. `measure_columns` has the columns of
statistics and odds. FiveThirtyEight's `spi_matches.csv` has `date,league,team1,team2,score1,score2,xg1,xg2,nsxg1,nsxg2`
and a file of expected goals `date,league,home,away,home_xg,away_xg`; their rows add measures to matches of other files.
FiveThirtyEight's probabilities are not read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from football_assets.domain.leagues import TIME_ZONES
from football_assets.raw.formats.csv_lines import check_columns
from football_assets.raw.formats.csv_table import HEADER_EXAMPLES, CsvFormat, CsvRecord, CsvSection
from football_assets.raw.formats.dates import DateOrder, parse_date, parse_time
from football_assets.raw.formats.divisions import LAYOUTS, Layout, SectionDivisions, label_of, places_of
from football_assets.raw.formats.measure_columns import (
    EXTRA_FIXTURES_MEASURES,
    EXTRA_RESULTS_MEASURES,
    MAIN_MEASURES,
    XG_MEASURES,
    Alternatives,
    present_measures,
    read_measures,
)
from football_assets.raw.formats.numbers import parse_goals, parse_listed_odds, parse_odds
from football_assets.raw.formats.records import (
    RECORD_CHARACTERS,
    MatchRow,
    ParsedFile,
    Rejection,
    UnreadableFile,
    UnusableRecord,
)
from football_assets.raw.rules import ODDS_TRIPLE

ODDS = (
    "AvgC",  # average over the bookmakers, at kick-off
    "Avg",  # average, days before
    "BbAv",  # average as BetBrain had it, until 2019
    "B365C",  # one bookmaker, at kick-off
    "B365",
    "PSC",
    "PS",
    "P",  # Pinnacle in files of extra leagues until 2024
    "WH",
    "BW",
    "IW",
    "VC",
    "LB",
    "GB",
    "SB",
    "SJ",
)
"""Prefixes of the columns of odds (`AvgCH`, `AvgCD`, `AvgCA`), in order of preference.

Of each row the first complete triple is read: averages before single bookmakers, odds at kick-off before earlier ones.
"""


_HOME = ZoneInfo("Europe/London")
_RESULT = re.compile(r"goal|score|result|^ft$")
_EXPECTED_GOALS = re.compile(r"(?<!ma)xg|expected")  # not `maxgoals`
_CUP = re.compile(r"\b(copa|cup)\b", re.IGNORECASE)


def read_football_data(section: CsvSection, order: DateOrder, league_id: str | None = None) -> ParsedFile:
    """Parse the matches of a section in either format.

    A row is rejected if it is too short to hold a date and two teams, is of another division than the file, or has an
    unreadable date or goals. A row without goals is a fixture; one whose result (`FTR`) lacks goals or contradicts them
    is rejected, since either may be wrong. Odds and statistics of a row with more fields than the header are left out.
    An unreadable time is dropped, since no feature depends on it. Odds that are not decimal (`5/2`, `-200`) are kept as
    NaN or as they are, so that `rules.odds_are_unusable` reports them. Times are converted to the country of the
    league, where a late match may be on another day.

    Parameters
    ----------
    league_id
        The league of the file, like `eng.1`; None: that of most of its rows.

    Raises
    ------
    UnreadableFile
        A required column is missing.
    """
    columns = _columns(section)
    divisions = SectionDivisions(section, league_id)
    reading = ParsedFile()
    alternatives = _measures_of(section, columns)
    left_out = _measure_columns(section, columns, alternatives)
    measured: list[list[str]] = []
    for record in section.records:
        try:
            reading.rows.append(_row(record, columns, divisions, order))
            is_shifted = _has_surplus(record.fields, columns.width)
            measured.append([] if is_shifted else record.fields)
            if is_shifted and left_out:
                reading.rejections.append(_shifted_measures(record, columns.width, left_out))
        except UnusableRecord as error:
            reading.rejections.append(
                Rejection(record.line, None, record.text[:RECORD_CHARACTERS], str(error))
            )
    reading.measures.append(read_measures(measured, section.names, alternatives))
    return reading


def _measure_columns(section: CsvSection, columns: "_Columns", alternatives: Alternatives) -> list[str]:
    """Return the columns of a match that are read from the odds and statistics of a section."""
    groups = present_measures(alternatives, section.names)
    return [*(ODDS_TRIPLE if columns.odds else ()), *(name for group in groups for name in group)]


def _shifted_measures(record: CsvRecord, width: int, left_out: Sequence[str]) -> Rejection:
    return Rejection(
        record.line,
        None,
        record.text[:RECORD_CHARACTERS],
        f"The odds and statistics are left out: the row has {len(record.fields)} fields, the header {width} columns, "
        "so they may be in other columns. Quote fields that contain the delimiter.",
        ", ".join(left_out),
    )


def _measures_of(section: CsvSection, columns: "_Columns") -> Alternatives:
    if columns.layout.adds_measures:
        return XG_MEASURES
    if section.format is CsvFormat.FOOTBALL_DATA:
        return MAIN_MEASURES
    return EXTRA_RESULTS_MEASURES if columns.goals else EXTRA_FIXTURES_MEASURES


def check_football_data(section: CsvSection) -> None:
    """Check that a section has the columns of its format.

    Raises
    ------
    UnreadableFile
        A required column is missing.
    """
    _columns(section)


@dataclass(frozen=True)
class _Columns:
    """Positions of a section's columns.

    `goals` is empty in a list of fixtures; `least`: fewest fields of a match; `is_local`: times are at the ground.
    """

    layout: Layout
    width: int
    least: int
    needed: tuple[int, ...]
    goals: tuple[int, ...]
    clock: int
    is_local: bool
    result: int
    labels: tuple[int, ...]
    odds: tuple[tuple[int, int, int], ...]


def _columns(section: CsvSection) -> _Columns:
    """Find the positions of the columns.

    Raises
    ------
    UnreadableFile
        A file of results lacks the columns of goals, or has one of the two; a file without goals has expected goals.
    """
    layout = LAYOUTS[section.format]
    names = _current(section.names, layout.older)
    is_of_results = {*layout.goals, *layout.of_results} & set(names) or any(map(_RESULT.search, names))
    if not layout.adds_measures and not is_of_results and any(map(_EXPECTED_GOALS.search, names)):
        of_xg, of_results = HEADER_EXAMPLES[CsvFormat.EXPECTED_GOALS], HEADER_EXAMPLES[section.format]
        raise UnreadableFile(
            f"The CSV has expected goals and no goals: its first line must be like '{of_xg}', or like '{of_results}' "
            "with expected goals in the columns home_xg and away_xg."
        )
    required = ("date", layout.home, layout.away, *(layout.goals if is_of_results else ()))
    check_columns(names, required, HEADER_EXAMPLES[section.format])
    width = len(names)
    places = tuple(names.index(name) for name in required)
    return _Columns(
        layout,
        width,
        max(places) + 1,
        places[:3],
        places[3:],
        names.index("time") if "time" in names else width,
        section.format is CsvFormat.EXTRA_LEAGUE and "country" not in names,
        names.index(layout.result) if layout.result in names else width,
        places_of(names, layout.labels),
        _odds_columns(names),
    )


def _row(record: CsvRecord, columns: _Columns, divisions: SectionDivisions, order: DateOrder) -> MatchRow:
    fields = record.fields
    if len(fields) < columns.least:
        raise UnusableRecord(f"The row is short: {len(fields)} of {columns.width} fields.")
    label = label_of(record, columns.labels)
    divisions.check(label)
    day, home, away = (fields[place] for place in columns.needed)
    clock = fields[columns.clock] if columns.clock < len(fields) else ""
    kickoff_date, kickoff_time, void = _kickoff(
        day, clock, divisions.league_id or "", order, columns.is_local
    )
    home_goals, away_goals = (
        (parse_goals(fields[place]) for place in columns.goals) if columns.goals else (None, None)
    )
    _check_result(fields[columns.result] if columns.result < len(fields) else "", (home_goals, away_goals))
    odds = (None, None, None) if _has_surplus(fields, columns.width) else _odds(fields, columns.odds)
    return MatchRow(
        record.line,
        None,
        record.text[:RECORD_CHARACTERS],
        kickoff_date,
        kickoff_time,
        home,
        away,
        home_goals,
        away_goals,
        _stage(label[-1]),
        *odds,
        void,
        columns.layout.adds_measures,
    )


def _has_surplus(fields: Sequence[str], width: int) -> bool:
    """Return whether a row has more fields than the header has columns."""
    return len(fields) > width and any(surplus.strip() for surplus in fields[width:])


@lru_cache(maxsize=1 << 8)
def _stage(league: str) -> str | None:
    """Return the name of a cup that the file lists among the matches of a league, else None."""
    return league if _CUP.search(league) else None


def _current(names: Sequence[str], older: dict[str, str]) -> list[str]:
    """Replace former column names by current ones, where these are missing."""
    return [older[name] if name in older and older[name] not in names else name for name in names]


def _odds_columns(names: Sequence[str]) -> tuple[tuple[int, int, int], ...]:
    found = []
    for prefix in ODDS:
        home, draw, away = (f"{prefix}{outcome}".lower() for outcome in "HDA")
        if home in names and draw in names and away in names:
            found.append((names.index(home), names.index(draw), names.index(away)))
    return tuple(found)


def _odds(
    fields: Sequence[str], columns: Sequence[tuple[int, int, int]]
) -> tuple[float | None, float | None, float | None]:
    """Return the first complete triple of odds; the first in another notation where no triple is complete."""
    listed = [[fields[place] for place in places] for places in columns if max(places) < len(fields)]
    for texts in listed:
        home, draw, away = map(parse_odds, texts)
        if home and draw and away:
            return home, draw, away
    for texts in listed:
        home, draw, away = odds = tuple(map(parse_listed_odds, texts))
        if _is_other_notation(odds):
            return home, draw, away
    return None, None, None


def _is_other_notation(odds: Sequence[float | None]) -> bool:
    """Return whether odds, as `parse_listed_odds` returns them, are fractional or American: NaN, or negative."""
    known = [value for value in odds if value is not None]
    return len(known) == len(odds) and not all(value >= 0 for value in known)


@lru_cache(maxsize=1 << 14)
def _kickoff(
    day: str, clock: str, league_id: str, order: DateOrder, is_local: bool
) -> tuple[date, time | None, str | None]:
    """Return day and time of kick-off in the country of the league, and the reason why the match is void, if it is."""
    moment = parse_date(day, order)
    listed = parse_time(clock) or moment.clock
    if is_local and moment.zone is None:
        return moment.day, listed, moment.void
    zone = TIME_ZONES.get(league_id.partition(".")[0])
    if listed is None or zone is None:
        return moment.day, None, moment.void
    try:
        at_home = datetime.combine(moment.day, listed, moment.zone or _HOME)
        local = at_home.astimezone(ZoneInfo(zone))
    except OverflowError:  # after the year 9999
        return moment.day, None, moment.void
    return local.date(), local.time(), moment.void


def _check_result(text: str, goals: tuple[int | None, int | None]) -> None:
    """Reject a row whose result, H, D or A, contradicts its goals."""
    listed = text.strip().upper()
    if listed not in ("H", "D", "A"):
        return
    home, away = goals
    if home is None or away is None:
        raise UnusableRecord(f"Only the result '{listed}' is known, not the goals.")
    if listed != ("H" if home > away else "A" if home < away else "D"):
        raise UnusableRecord(f"The result '{listed}' contradicts the score {home}-{away}.")
