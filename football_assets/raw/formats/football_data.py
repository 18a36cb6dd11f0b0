"""Reads football-data.co.uk: `Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,…`, and its extra leagues:
`Country,League,Season,Date,Home,Away,HG,AG,…`. Both have odds; lists of fixtures lack the columns of goals.

Columns come and go by the year. `Time` is the time in the United Kingdom. Statistics of play are not read.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from football_assets.domain.leagues import DIVISIONS, TIME_ZONES, extra_league, league_of
from football_assets.raw.formats.csv_lines import check_columns
from football_assets.raw.formats.csv_table import HEADER_EXAMPLES, CsvFormat, CsvRecord, CsvSection
from football_assets.raw.formats.dates import DateOrder, parse_date, parse_time
from football_assets.raw.formats.numbers import parse_goals, parse_odds
from football_assets.raw.formats.records import (
    RECORD_CHARACTERS,
    MatchRow,
    ParsedFile,
    Rejection,
    UnusableRecord,
    WrongDivision,
)

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
"""Odds by what their columns begin with (`AvgCH`, `AvgCD`, `AvgCA`). Of each row the first that it has all three of
are read: averages before a bookmaker, since they depend on none; odds at kick-off before earlier ones."""


@dataclass(frozen=True)
class Layout:
    """The columns of a format. `labels` together say the division, whose league `league` knows; `of_results`: columns
    that only a file of results has; `older`: names that a column had before."""

    home: str
    away: str
    goals: tuple[str, str]
    result: str
    labels: tuple[str, ...]
    league: Callable[[tuple[str, ...]], str | None]
    of_results: frozenset[str]
    older: dict[str, str]


_STATISTICS = frozenset(("hthg", "htag", "htr", "hs", "as", "hst", "ast", "hc", "ac", "hf", "af", "hy", "ay"))
LAYOUTS = {
    CsvFormat.FOOTBALL_DATA: Layout(
        home="hometeam",
        away="awayteam",
        goals=("fthg", "ftag"),
        result="ftr",
        labels=("div",),
        league=lambda label: DIVISIONS.get(label[0].upper()),
        of_results=_STATISTICS | {"ftr"},
        older={"ht": "hometeam", "at": "awayteam", "hg": "fthg", "ag": "ftag", "res": "ftr"},
    ),
    CsvFormat.EXTRA_LEAGUE: Layout(
        home="home",
        away="away",
        goals=("hg", "ag"),
        result="res",
        labels=("country", "league"),
        league=lambda label: extra_league(*label),
        of_results=_STATISTICS | {"res", "ftr"},
        older={"fthg": "hg", "ftag": "ag", "ftr": "res"},
    ),
}
_HOME = ZoneInfo("Europe/London")
_RESULT = re.compile(r"goal|score|result|^ft$")
_CUP = re.compile(r"\b(copa|cup)\b", re.IGNORECASE)


def read_football_data(section: CsvSection, order: DateOrder, league_id: str | None = None) -> ParsedFile:
    """Read the matches of a section in either format.

    A row too short to hold a date and two teams, of another division than the file, or with a date or goals that cannot
    be read, is rejected with its line. Without goals it is a fixture; with a result (`FTR`) but no goals, or other
    goals, it is rejected: which of the two is wrong is not known. A time or odds that are no such thing are left out:
    nothing depends on a time, and odds are only compared with. A time is converted to that of the league's country,
    where a late match may be on another day.

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
    divisions = _Divisions(section, columns, league_id)
    reading = ParsedFile()
    for record in section.records:
        try:
            reading.rows.append(_row(record, columns, divisions, order))
        except UnusableRecord as error:
            reading.rejections.append(
                Rejection(record.line, None, record.text[:RECORD_CHARACTERS], str(error))
            )
    return reading


def divisions_of(section: CsvSection) -> list[str]:
    """The divisions that a section's rows name, as they write them, the one with most rows first."""
    return [_words(label) for label, _ in _labels(section).most_common()] if section.format in LAYOUTS else []


def check_football_data(section: CsvSection) -> None:
    """Refuse a section without the columns of its format.

    Raises
    ------
    UnreadableFile
        A required column is missing.
    """
    _columns(section)


def leagues_of(section: CsvSection) -> list[str | None]:
    """The league of each record by the columns that say its division; None where they say none that is known."""
    if section.format not in LAYOUTS:
        return [None] * len(section.records)
    layout = LAYOUTS[section.format]
    places = _places(section.names, layout.labels)
    known = {label: layout.league(label) for label in _labels(section)}
    return [known.get(_label(record, places)) for record in section.records]


@dataclass(frozen=True)
class _Columns:
    """Places of a section's columns; `goals`: none in a list of fixtures. `least`: fields that a match has at least."""

    layout: Layout
    width: int
    least: int
    needed: tuple[int, ...]
    goals: tuple[int, ...]
    clock: int
    result: int
    labels: tuple[int, ...]
    odds: tuple[tuple[int, int, int], ...]


def _columns(section: CsvSection) -> _Columns:
    """The places of the columns.

    Raises
    ------
    UnreadableFile
        A file of results lacks the columns of goals, or has one of the two.
    """
    layout = LAYOUTS[section.format]
    names = _current(section.names, layout.older)
    is_of_results = {*layout.goals, *layout.of_results} & set(names) or any(map(_RESULT.search, names))
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
        names.index(layout.result) if layout.result in names else width,
        _places(names, layout.labels),
        _odds_columns(names),
    )


class _Divisions:
    """Which rows of a section are of the file's division."""

    def __init__(self, section: CsvSection, columns: _Columns, league_id: str | None) -> None:
        labels = _labels(section)
        self._leagues = {label: columns.layout.league(label) for label in labels}
        is_known = any(self._leagues.values())
        ordered = [label for label, _ in labels.most_common()]
        if league_id is not None and is_known:
            ordered = [label for label in ordered if self._leagues[label] == league_id]
        usual = ordered[0] if ordered else None
        self.league_id = league_id or (self._leagues[usual] if usual is not None else None)
        self._name = _words(usual) if usual is not None else self.league_id
        self._mine = {usual, *(label for label in labels if self._leagues[label] == (self.league_id or ""))}

    def check(self, label: tuple[str, ...]) -> None:
        """Refuse a row of another division."""
        if any(label) and label not in self._mine:
            unknown = ", which is not known" if self._leagues[label] is None else ""
            raise UnusableRecord(
                f"The row is of division '{_words(label)}'{unknown}, the file of '{self._name}'."
            )


def check_division(sections: Sequence[CsvSection], league_id: str) -> None:
    """Refuse a file of which no row is of its league.

    Raises
    ------
    WrongDivision
        The columns that say the division name other leagues only.
    """
    found: Counter[tuple[str, str]] = Counter()
    for section in sections:
        if section.format in LAYOUTS:
            league = LAYOUTS[section.format].league
            found.update(
                {(league(label) or "", _words(label)): count for label, count in _labels(section).items()}
            )
    known = [(league, words) for (league, words), _ in found.most_common() if league]
    if known and league_id not in {league for league, _ in known}:
        is_of, is_named = league_of(known[0][0]), league_of(league_id)
        raise WrongDivision(
            f"The file is of {known[0][1]} ({is_of.name}, {is_of.league_id}), but its name says {is_named.name} "
            f"({is_named.league_id}): name it after its own division."
        )


def _labels(section: CsvSection) -> Counter[tuple[str, ...]]:
    """How many rows each division has."""
    places = _places(section.names, LAYOUTS[section.format].labels)
    return Counter(label for record in section.records if any(label := _label(record, places)))


def _row(record: CsvRecord, columns: _Columns, divisions: _Divisions, order: DateOrder) -> MatchRow:
    fields = record.fields
    if len(fields) < columns.least:
        raise UnusableRecord(f"The row is short: {len(fields)} of {columns.width} fields.")
    label = _label(record, columns.labels)
    divisions.check(label)
    day, home, away = (fields[place] for place in columns.needed)
    clock = fields[columns.clock] if columns.clock < len(fields) else ""
    kickoff_date, kickoff_time, void = _kickoff(day, clock, divisions.league_id or "", order)
    home_goals, away_goals = (
        (parse_goals(fields[place]) for place in columns.goals) if columns.goals else (None, None)
    )
    _check_result(fields[columns.result] if columns.result < len(fields) else "", (home_goals, away_goals))
    # With more fields than columns something before the odds may have moved them.
    is_surplus = len(fields) > columns.width and any(surplus.strip() for surplus in fields[columns.width :])
    odds = (None, None, None) if is_surplus else _odds(fields, columns.odds)
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
    )


@lru_cache(maxsize=1 << 8)
def _stage(league: str) -> str | None:
    """The name of a cup that the file lists among the matches of a league."""
    return league if _CUP.search(league) else None


def _current(names: Sequence[str], older: dict[str, str]) -> list[str]:
    """The names, older ones as the newer where those are missing."""
    return [older[name] if name in older and older[name] not in names else name for name in names]


def _places(names: Sequence[str], labels: Sequence[str]) -> tuple[int, ...]:
    return tuple(names.index(name) if name in names else len(names) for name in labels)


def _label(record: CsvRecord, places: Sequence[int]) -> tuple[str, ...]:
    """What the columns of the division say."""
    return tuple(record.fields[place].strip() if place < len(record.fields) else "" for place in places)


def _words(label: Sequence[str]) -> str:
    return ", ".join(part for part in label if part)


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
    for home, draw, away in columns:
        if max(home, draw, away) < len(fields):
            odds = (parse_odds(fields[home]), parse_odds(fields[draw]), parse_odds(fields[away]))
            if None not in odds:
                return odds
    return None, None, None


@lru_cache(maxsize=1 << 14)
def _kickoff(day: str, clock: str, league_id: str, order: DateOrder) -> tuple[date, time | None, str | None]:
    """Day and time of kick-off in the country of the league, and why a mark behind the day makes the match void."""
    moment = parse_date(day, order)
    listed = parse_time(clock) or moment.clock
    zone = TIME_ZONES.get(league_id.partition(".")[0])
    if listed is None or zone is None:
        return moment.day, None, moment.void
    try:
        at_home = datetime.combine(moment.day, listed, moment.zone or _HOME)
        local = at_home.astimezone(ZoneInfo(zone))
    except OverflowError:  # past the last day that there is
        return moment.day, None, moment.void
    return local.date(), local.time(), moment.void


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
