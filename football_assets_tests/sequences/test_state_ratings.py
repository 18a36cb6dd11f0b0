"""Ratings of a team state: a team's own, or its league's entry ratings."""

import numpy as np
import polars as pl
import pytest

from football_assets.features.ratings import LEAGUE_STATE, RATINGS
from football_assets.sequences.state_ratings import StateRatings


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
