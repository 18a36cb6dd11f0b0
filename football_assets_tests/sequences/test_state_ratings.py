"""Ratings of a team state: a team's own, or its league's entry ratings."""

import numpy as np
import polars as pl
import pytest

from football_assets.features.ratings import LEAGUE_STATE, RATINGS
from football_assets.sequences.columns import RATED_TABLES, RatedTable
from football_assets.sequences.rating_context import rating_context
from football_assets.sequences.state_ratings import RatedStates, StateRatings


@pytest.fixture
def ratings() -> StateRatings:
    """Two leagues, and two teams of which the second never played."""
    leagues = pl.DataFrame({name: [10.0 + i, 20.0 + i] for i, name in enumerate(LEAGUE_STATE)})
    teams = pl.DataFrame({name: [1500.1 + i, None] for i, name in enumerate(RATINGS)})
    return StateRatings(teams, leagues)


def test_a_leagues_mean_goals_come_before_its_entry_ratings(ratings: StateRatings) -> None:
    league = ratings.league(1)

    assert league.goals.tolist() == [20.0, 21.0]
    assert league.entry.tolist() == [22.0, 23.0, 24.0]


def test_a_team_that_never_played_has_the_entry_ratings_of_its_league(ratings: StateRatings) -> None:
    assert ratings.team(0, 0).tolist() == [1500.1, 1501.1, 1502.1]
    assert ratings.team(0, 1).tolist() == [12.0, 13.0, 14.0]
    assert ratings.team(1, 1).tolist() == [22.0, 23.0, 24.0]


def test_the_ratings_cannot_be_changed_by_a_caller(ratings: StateRatings) -> None:
    with pytest.raises(ValueError, match="read-only"):
        ratings.team(0, 0)[0] = 0
    assert np.isfinite(ratings.team(0, 0)).all()


@pytest.mark.parametrize("table", RATED_TABLES)
def test_a_match_has_the_context_of_its_home_team_away_team_and_league(table: RatedTable) -> None:
    generator = np.random.default_rng(0)
    team_values, league_values = (
        generator.uniform(0.1, 0.9, (count, len(names)))
        for count, names in ((3, table.team_state), (2, table.league_state))
    )
    states = RatedStates(
        table,
        pl.DataFrame(team_values, schema=list(table.team_state)),
        pl.DataFrame(league_values, schema=list(table.league_state)),
    )
    days = np.array([16_000, 16_001])

    found = states.context(np.array([1, 0]), states.teams[np.array([[2, 0], [1, 2]])], days)

    expected = rating_context(table, team_values[[2, 1]], team_values[[0, 2]], league_values[[1, 0]], days)
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(found[0], found[1])
