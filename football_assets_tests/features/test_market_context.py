"""The odds columns of a match's context."""

import math
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from football_assets.domain.implied_goals import outcome_probabilities
from football_assets.features.market_context import RATED_DAYS, market_context
from football_assets.features.market_ratings import rate_markets
from football_assets.features.rating_columns import (
    MARKET_CONTEXT,
    MARKET_CONTEXT_COLUMNS,
    MARKET_LEAGUE_STATE,
    MARKET_TEAM_STATE,
    RESULT_CONTEXT,
)
from football_assets_tests.builders.measured_matches import Measured, measured_matches
from football_assets_tests.builders.stg_matches import START

Floats = NDArray[np.float64]
HOME = {name: 0.01 * (i + 1) for i, name in enumerate(MARKET_TEAM_STATE)} | {
    "odds_day": 1000.0,
    "result_day": 1003.0,
}
AWAY = {name: -0.02 * (i + 1) for i, name in enumerate(MARKET_TEAM_STATE)} | {
    "odds_day": 990.0,
    "odds_variance": 0.03,
    "result_day": 950.0,
    "result_variance": 0.04,
}
LEAGUE = {name: 0.1 + 0.01 * i for i, name in enumerate(MARKET_LEAGUE_STATE)}


def context(
    home: dict[str, float] = HOME, away: dict[str, float] = AWAY, day: int = 1010
) -> dict[str, float]:
    values = market_context(
        row_of(home, MARKET_TEAM_STATE),
        row_of(away, MARKET_TEAM_STATE),
        row_of(LEAGUE, MARKET_LEAGUE_STATE),
        np.array([day]),
    )
    return dict(zip(MARKET_CONTEXT, values[0].tolist(), strict=True))


def row_of(state: dict[str, float], names: tuple[str, ...]) -> Floats:
    return np.array([[state[name] for name in names]])


def test_supremacy_total_and_goals_come_from_the_strengths() -> None:
    row = context()
    supremacy = HOME["odds_strength"] - AWAY["odds_strength"] + LEAGUE["odds_home_advantage"]
    total = HOME["odds_total"] + AWAY["odds_total"] + LEAGUE["odds_total_level"]
    assert row["odds_rated"] == 1.0
    assert row["odds_supremacy"] == pytest.approx(supremacy)
    assert row["odds_total"] == pytest.approx(total)
    assert row["odds_home_goals"] == pytest.approx(math.exp((total + supremacy) / 2))
    assert row["odds_away_goals"] == pytest.approx(math.exp((total - supremacy) / 2))
    outcomes = outcome_probabilities(np.array([row["odds_home_goals"]]), np.array([row["odds_away_goals"]]))
    assert [row[f"odds_p_{name}"] for name in ("home", "draw", "away")] == [
        values[0] for values in outcomes[:3]
    ]


def test_variances_grow_with_the_days_since_each_teams_last_match() -> None:
    row = context()
    known = HOME["odds_variance"] + AWAY["odds_variance"] + LEAGUE["odds_home_advantage_variance"]
    assert row["odds_supremacy_variance"] == pytest.approx(known + 3e-4 * (10 + 20))
    results = HOME["result_variance"] + AWAY["result_variance"] + LEAGUE["result_home_advantage_variance"]
    assert row["result_supremacy_variance"] == pytest.approx(results + 1e-4 * (7 + 60) + 0.01)


def test_the_other_columns_have_the_right_sides_and_signs() -> None:
    row = context()
    for speed in ("fast", "only", "slow"):
        expected = HOME[f"odds_{speed}_strength"] - AWAY[f"odds_{speed}_strength"]
        assert row[f"odds_{speed}_supremacy"] == pytest.approx(
            expected + LEAGUE[f"odds_{speed}_home_advantage"]
        )
    for venue, state in (("home", HOME), ("away", AWAY)):
        assert row[f"{venue}_odds_strength"] == state["odds_strength"]
        assert row[f"{venue}_odds_trend"] == pytest.approx(
            state["odds_strength"] - state["odds_slow_strength"]
        )
        for name in ("goals_for", "goals_against", "points"):
            assert row[f"{venue}_odds_residual_{name}"] == state[f"odds_residual_{name}"]
    assert row["odds_step_home_log_goals"] == pytest.approx(
        LEAGUE["odds_home_log_goals"] + HOME["odds_attack"] - AWAY["odds_defence"]
    )
    assert row["odds_step_away_log_goals"] == pytest.approx(
        LEAGUE["odds_away_log_goals"] + AWAY["odds_attack"] - HOME["odds_defence"]
    )
    assert row["odds_elo_difference"] == pytest.approx(
        HOME["odds_elo"] - AWAY["odds_elo"] + LEAGUE["odds_elo_home_advantage"]
    )
    assert row["result_supremacy"] == pytest.approx(
        HOME["result_strength"] - AWAY["result_strength"] + LEAGUE["result_home_advantage"]
    )


@pytest.mark.parametrize("is_home", [True, False])
def test_without_odds_of_one_team_only_the_results_are_known(is_home: bool) -> None:
    unknown = {name: math.nan if name.startswith("odds") else value for name, value in HOME.items()}
    row = context(home=unknown) if is_home else context(away=unknown)
    assert row.pop("odds_rated") == 0.0
    known = {name for name, value in row.items() if not math.isnan(value)}
    assert known == set(RESULT_CONTEXT)


def test_ratings_whose_last_odds_are_old_are_not_shown() -> None:
    assert context(day=990 + RATED_DAYS)["odds_rated"] == 1.0
    late = context(day=991 + RATED_DAYS)
    assert late["odds_rated"] == 0.0
    assert math.isnan(late["odds_supremacy"])


def test_a_team_without_a_match_enters_as_the_leagues_newcomers_do() -> None:
    row = context(away=dict.fromkeys(MARKET_TEAM_STATE, math.nan))
    expected = HOME["result_strength"] - LEAGUE["result_entry"] + LEAGUE["result_home_advantage"]
    assert row["result_supremacy"] == pytest.approx(expected)
    assert row["result_supremacy_variance"] == pytest.approx(
        HOME["result_variance"] + 7e-4 + 0.15 + LEAGUE["result_home_advantage_variance"]
    )


def season() -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """States of a table of ratings, with teams that have odds behind them and others."""
    random = np.random.default_rng(7)
    rows = []
    for day in range(0, 200, 2):
        home, away = random.choice(list("ABCDEFGH"), 2, replace=False)
        odds = tuple(random.uniform((1.5, 3.2, 1.8), (3.0, 3.8, 4.0))) if random.random() < 0.6 else None
        rows.append(Measured("x.1", day, home, away, tuple(random.poisson(1.4, 2).tolist()), odds))
    ratings = rate_markets(measured_matches(rows))
    home_rows, away_rows = (ratings.filter(pl.col("is_home") == is_home) for is_home in (True, False))

    def floats(table: pl.DataFrame, names: tuple[str, ...]) -> Floats:
        return table.select(names).cast(pl.Float64).fill_null(np.nan).to_numpy()

    days = home_rows["kickoff_date"].to_physical().to_numpy().astype(np.int64)
    return (
        floats(home_rows, MARKET_TEAM_STATE),
        floats(away_rows, MARKET_TEAM_STATE),
        floats(home_rows, MARKET_LEAGUE_STATE),
        days,
    )


def test_one_match_and_many_give_the_same_bits() -> None:
    home, away, league, days = season()
    together = market_context(home, away, league, days)
    assert 0 < together[:, 0].sum() < len(together)
    for row in range(len(together)):
        alone = slice(row, row + 1)
        (values,) = market_context(home[alone].copy(), away[alone].copy(), league[alone].copy(), days[alone])
        np.testing.assert_array_equal(values, together[row])


def test_a_season_stays_within_the_bounds_of_the_columns() -> None:
    values = market_context(*season())
    for column, of_column in zip(MARKET_CONTEXT_COLUMNS, values.T, strict=True):
        known = of_column[~np.isnan(of_column)]
        assert ((column.lower <= known) & (known <= column.upper)).all(), column.name


def test_days_are_days_since_1970() -> None:
    assert season()[3][0] == (START - date(1970, 1, 1)) / timedelta(days=1)
