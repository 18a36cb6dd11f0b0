"""`stg_matches` with odds and match statistics, written by hand or drawn."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl
from hypothesis import strategies as st

from football_assets_tests.builders.stg_matches import stg_matches

Pair = tuple[int, int]
Odds = tuple[float, float, float]


class Measured(NamedTuple):
    """A match of the country x; what is None is null in the table."""

    league: str
    day: int
    home: str
    away: str
    goals: Pair | None
    odds: Odds | None = None  # closing
    over_under: tuple[float, float] | None = None  # closing
    shots_on_target: Pair | None = None
    shots: Pair | None = None
    corners: Pair | None = None
    red_cards: Pair | None = None
    half_time_goals: Pair | None = None
    expected_goals: tuple[float, float] | None = None


STATISTICS = ("shots_on_target", "shots", "corners", "red_cards", "half_time_goals", "expected_goals")


def measured_matches(rows: Sequence[Measured]) -> pl.DataFrame:
    """The columns that the market and shot ratings read."""
    frame = stg_matches([(*row[:4], *(row.goals or (None, None))) for row in rows])
    columns: dict[str, list[Any]] = {}
    for row in rows:
        pieces: dict[str, Any] = {
            **_named("closing_odds", ("home", "draw", "away"), row.odds),
            **_named("closing_odds", ("over", "under"), row.over_under),
        }
        for name in STATISTICS:
            home, away = getattr(row, name) or (None, None)
            pieces |= {f"home_{name}": home, f"away_{name}": away}
        for name, value in pieces.items():
            columns.setdefault(name, []).append(value)
    return frame.with_columns(pl.Series(name, values, dtype=pl.Float64) for name, values in columns.items())


def _named(kind: str, outcomes: Sequence[str], odds: Sequence[Any] | None) -> dict[str, Any]:
    values = odds or [None] * len(outcomes)
    return {f"{kind}_{outcome}": value for outcome, value in zip(outcomes, values, strict=True)}


ODDS = st.tuples(st.floats(1.3, 6.0), st.floats(3.0, 4.5), st.floats(1.3, 6.0))
PAIRS = st.tuples(st.integers(0, 9), st.integers(0, 9))
FACTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "goals": PAIRS,
        "odds": st.none() | ODDS,
        "over_under": st.none() | st.tuples(st.floats(1.6, 2.4), st.floats(1.6, 2.4)),
        **{name: st.none() | PAIRS for name in STATISTICS},
    }
)
PAIRINGS = st.tuples(
    st.sampled_from(["x.1", "x.2", "x.cup"]),
    st.integers(0, 9),
    st.permutations("ABCDEF").map(lambda teams: (teams[0], teams[1])),
)


@st.composite
def worlds(draw: st.DrawFn, max_size: int = 20) -> list[Measured]:
    """Draw played matches over ten days, of which teams may play several on one."""
    pairings = draw(st.lists(PAIRINGS, max_size=max_size, unique=True))
    bare = [Measured(league, day, home, away, None) for league, day, (home, away) in pairings]
    return [row._replace(**draw(FACTS)) for row in bare]
