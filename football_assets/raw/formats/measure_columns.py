"""Read the measures of a match from the columns of a CSV: football-data.co.uk's of every year, and expected goals.

football-data.co.uk has renamed its odds several times: averages are `BbAv…` until 2019 and `Avg…` since, those at
kick-off have a C (`AvgCH`, `PSCH`).
"""

from collections.abc import Sequence

import polars as pl

from football_assets.domain.measures import (
    BOOKMAKER_ODDS,
    CLOSING_HANDICAP,
    CLOSING_ODDS,
    CLOSING_TOTAL_ODDS,
    MEASURED_XG_PAIRS,
    PRE_MATCH_HANDICAP,
    PRE_MATCH_ODDS,
    PRE_MATCH_TOTAL_ODDS,
    STATISTIC_PAIRS,
)

ColumnGroup = tuple[str, ...]
Alternatives = dict[ColumnGroup, tuple[ColumnGroup, ...]]
"""Columns of a file, in lower case, by group of measures: of each row the first complete alternative is read."""


def _outcomes(*prefixes: str) -> tuple[ColumnGroup, ...]:
    return tuple((f"{prefix}h", f"{prefix}d", f"{prefix}a") for prefix in prefixes)


def _totals(*prefixes: str) -> tuple[ColumnGroup, ...]:
    return tuple((f"{prefix}>2.5", f"{prefix}<2.5") for prefix in prefixes)


_STATISTICS: Alternatives = {
    pair: ((f"{before}h{after}", f"{before}a{after}"),)
    for pair, (before, after) in zip(
        STATISTIC_PAIRS,
        [("ht", "g"), ("", "s"), ("", "st"), ("", "c"), ("", "f"), ("", "y"), ("", "r")],
        strict=True,
    )
}
_EARLIER_ODDS: Alternatives = {
    PRE_MATCH_ODDS: _outcomes("avg", "bbav"),
    BOOKMAKER_ODDS: _outcomes("b365"),
    PRE_MATCH_TOTAL_ODDS: _totals("avg", "bbav", "p", "b365", "gb"),
    PRE_MATCH_HANDICAP: (("ahh", "avgahh", "avgaha"), ("bbahh", "bbavahh", "bbavaha")),
}
XG_MEASURES: Alternatives = {
    MEASURED_XG_PAIRS[0]: (("home_xg", "away_xg"), ("xg1", "xg2")),
    MEASURED_XG_PAIRS[1]: (("home_nsxg", "away_nsxg"), ("nsxg1", "nsxg2")),
}
"""Of FiveThirtyEight's file, and of a plain CSV of expected goals or of results."""
MAIN_MEASURES: Alternatives = {
    **_STATISTICS,
    **XG_MEASURES,
    **_EARLIER_ODDS,
    CLOSING_ODDS: _outcomes("avgc", "psc"),
    CLOSING_TOTAL_ODDS: _totals("avgc", "pc", "b365c"),
    CLOSING_HANDICAP: (("ahch", "avgcahh", "avgcaha"),),
}
"""Of football-data.co.uk's main format, to which people add expected goals."""
EXTRA_RESULTS_MEASURES: Alternatives = {
    **_STATISTICS,
    **XG_MEASURES,
    CLOSING_ODDS: _outcomes("avgc", "avg", "psc", "ps", "p"),
    CLOSING_TOTAL_ODDS: _totals("avgc", "pc", "b365c"),
}
"""Of results in the format of the extra leagues, whose odds are those at kick-off, with or without a C.

A plain CSV of results has that format too, and may have expected goals.
"""
EXTRA_FIXTURES_MEASURES: Alternatives = _EARLIER_ODDS
"""Of fixtures in that format, whose odds are collected before the match."""


def present_measures(alternatives: Alternatives, names: Sequence[str]) -> Alternatives:
    """Select the alternatives of which a file has all columns."""
    listed = set(names)
    found = {
        group: tuple(columns for columns in several if listed.issuperset(columns))
        for group, several in alternatives.items()
    }
    return {group: several for group, several in found.items() if several}


def read_measures(
    rows: Sequence[Sequence[str]], names: Sequence[str], alternatives: Alternatives
) -> pl.DataFrame:
    """Read the measures of rows.

    A group that a row gives only in part counts as not given. No value is validated here (`raw.measure_rules`).

    Parameters
    ----------
    rows
        Fields of each row; one without fields has no measures.
    names
        Columns of the file, in lower case.
    alternatives
        Columns of each group of measures.

    Returns
    -------
    pl.DataFrame
        `place`, the position of the row (from 0), and the measures of which the file has the columns, as Float64.
    """
    present = present_measures(alternatives, names)
    used = sorted({name for several in present.values() for columns in several for name in columns})
    places = [names.index(name) for name in used]
    texts = {
        name: [fields[place] if place < len(fields) else None for fields in rows]
        for name, place in zip(used, places, strict=True)
    }
    numbers = pl.DataFrame(
        {"place": range(len(rows)), **texts}, schema={"place": pl.Int32, **dict.fromkeys(used, pl.String)}
    ).with_columns(
        pl.col(used)
        .str.strip_chars()
        .str.replace(",", ".", literal=True)
        .cast(pl.Float64, strict=False)
        .fill_nan(None)
    )
    columns = [column for group, several in present.items() for column in _group(group, several)]
    return numbers.select("place", *columns)


def half_time_measures(scores: Sequence[tuple[int | None, int | None]]) -> pl.DataFrame:
    """Convert the scores at half-time of the rows of a file to measures, as `read_measures` returns them."""
    frame = pl.DataFrame(scores, schema=dict.fromkeys(STATISTIC_PAIRS[0], pl.Float64), orient="row")
    return frame.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("place"), pl.all())


def _group(group: ColumnGroup, several: Sequence[ColumnGroup]) -> list[pl.Expr]:
    """Build the columns of a group from the first alternative that a row has completely."""
    wholes = [(pl.all_horizontal(pl.col(columns).is_not_null()), columns) for columns in several]
    return [
        pl.coalesce(pl.when(is_whole).then(pl.col(columns[place])) for is_whole, columns in wholes).alias(
            name
        )
        for place, name in enumerate(group)
    ]
