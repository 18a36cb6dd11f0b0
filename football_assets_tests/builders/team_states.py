"""Team states of simulated countries, and the comparison of encoded batches bit by bit."""

import numpy as np
import polars as pl

from football_assets.domain.measures import BOOKMAKER_ODDS, PRE_MATCH_ODDS
from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.sequences.state import TeamState
from football_assets_tests.builders.worlds import TRUTH, FeatureTables, SimulatedCountries

INPUTS = ("home_history", "away_history", "context")
ASKED = (
    *("league_id", "season", "kickoff_date", "home_team_id", "away_team_id"),
    *PRE_MATCH_ODDS,
    *BOOKMAKER_ODDS,
)


def table_of(tables: FeatureTables) -> pl.DataFrame:
    """Build the team state of feature tables."""
    return tables.team_state()


def renamed(countries: SimulatedCountries, names: dict[str, str]) -> TeamState:
    """Build the state with other names for some teams."""
    return TeamState(
        table_of(countries.tables.of(TRUTH)).with_columns(pl.col("team").replace(names)), DEFAULT_SPEC
    )


def assert_same_bits(found: SequenceBatch, expected: SequenceBatch) -> None:
    """Compare two batches bit by bit."""
    for name in INPUTS:
        left, right = getattr(found, name), getattr(expected, name)
        assert left.dtype == right.dtype == np.float32
        assert np.array_equal(left, right, equal_nan=True), name
