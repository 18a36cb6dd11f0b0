"""Read the divisions of rows in the formats of football-data.co.uk, FiveThirtyEight and expected goals."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from football_assets.domain.leagues import (
    DIVISIONS,
    SPI_LEAGUES,
    extra_league,
    league_of,
    parse_league_id,
)
from football_assets.errors import UnknownLeague
from football_assets.raw.formats.csv_table import CsvFormat, CsvRecord, CsvSection
from football_assets.raw.formats.records import UnusableRecord, WrongDivision


@dataclass(frozen=True)
class Layout:
    """The columns of a format.

    `labels`: columns that together name the division, which `league` maps to a league id; `of_results`: columns that
    only files of results have; `older`: former names of columns; `adds_measures`: the rows add measures to the matches
    of other files.
    """

    home: str
    away: str
    goals: tuple[str, ...]
    result: str
    labels: tuple[str, ...]
    league: Callable[[tuple[str, ...]], str | None]
    of_results: frozenset[str]
    older: dict[str, str]
    adds_measures: bool = False


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
        league=lambda label: extra_league(*label) or (None if label[0] else _parsed_league(label[1])),
        of_results=_STATISTICS | {"res", "ftr"},
        older={"fthg": "hg", "ftag": "ag", "ftr": "res"},
    ),
    CsvFormat.FIVETHIRTYEIGHT: Layout(
        home="team1",
        away="team2",
        goals=("score1", "score2"),
        result="ftr",
        labels=("league",),
        league=lambda label: SPI_LEAGUES.get(label[0]),
        of_results=frozenset(("score1", "score2")),
        older={},
        adds_measures=True,
    ),
    CsvFormat.EXPECTED_GOALS: Layout(
        home="home",
        away="away",
        goals=(),
        result="ftr",
        labels=("league",),
        league=lambda label: _parsed_league(label[0]),
        of_results=frozenset(),
        older={},
        adds_measures=True,
    ),
}


def _parsed_league(text: str) -> str | None:
    try:
        return parse_league_id(text)
    except UnknownLeague:
        return None


def divisions_of(section: CsvSection) -> list[str]:
    """List the divisions that the rows of a section name, as written, the most frequent first."""
    return (
        [_joined(label) for label, _ in _labels(section).most_common()] if section.format in LAYOUTS else []
    )


def leagues_of(section: CsvSection) -> list[str | None]:
    """Return the league of each record by its division columns; None where the division is unknown."""
    if section.format not in LAYOUTS:
        return [None] * len(section.records)
    layout = LAYOUTS[section.format]
    places = places_of(section.names, layout.labels)
    known = {label: layout.league(label) for label in _labels(section)}
    return [known.get(label_of(record, places)) for record in section.records]


class SectionDivisions:
    """Decide which rows of a section are of the file's division."""

    def __init__(self, section: CsvSection, league_id: str | None) -> None:
        labels = _labels(section)
        self._leagues = {label: LAYOUTS[section.format].league(label) for label in labels}
        is_known = any(self._leagues.values())
        ordered = [label for label, _ in labels.most_common()]
        if league_id is not None and is_known:
            ordered = [label for label in ordered if self._leagues[label] == league_id]
        usual = ordered[0] if ordered else None
        self.league_id = league_id or (self._leagues[usual] if usual is not None else None)
        self._name = _joined(usual) if usual is not None else self.league_id
        self._mine = {usual, *(label for label in labels if self._leagues[label] == (self.league_id or ""))}

    def check(self, label: tuple[str, ...]) -> None:
        """Reject a row of another division.

        Raises
        ------
        UnusableRecord
            The row is of another division.
        """
        if any(label) and label not in self._mine:
            unknown = ", which is not known" if self._leagues[label] is None else ""
            raise UnusableRecord(
                f"The row is of division '{_joined(label)}'{unknown}, the file of '{self._name}'."
            )


def check_division(sections: Sequence[CsvSection], league_id: str) -> None:
    """Reject a file without a row of its league.

    Raises
    ------
    WrongDivision
        The division columns name other leagues only.
    """
    found: Counter[tuple[str, str]] = Counter()
    for section in sections:
        if section.format in LAYOUTS:
            league = LAYOUTS[section.format].league
            found.update(
                {(league(label) or "", _joined(label)): count for label, count in _labels(section).items()}
            )
    known = [(league, words) for (league, words), _ in found.most_common() if league]
    if known and league_id not in {league for league, _ in known}:
        is_of, is_named = league_of(known[0][0]), league_of(league_id)
        raise WrongDivision(
            f"The file is of {known[0][1]} ({is_of.name}, {is_of.league_id}), but its name says {is_named.name} "
            f"({is_named.league_id}): name it after its own division."
        )


def _labels(section: CsvSection) -> Counter[tuple[str, ...]]:
    """Count the rows of each division."""
    places = places_of(section.names, LAYOUTS[section.format].labels)
    return Counter(label for record in section.records if any(label := label_of(record, places)))


def places_of(names: Sequence[str], labels: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of columns, the number of columns for a missing one."""
    return tuple(names.index(name) if name in names else len(names) for name in labels)


def label_of(record: CsvRecord, places: Sequence[int]) -> tuple[str, ...]:
    """Return the division of a record: the fields at `places`, stripped."""
    return tuple(record.fields[place].strip() if place < len(record.fields) else "" for place in places)


def _joined(label: Sequence[str]) -> str:
    return ", ".join(part for part in label if part)
