"""The table of the team state: rows by team and league, whatever the order of the tables' rows."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from football_assets.errors import FootballError
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT
from football_assets.sequences.state import TeamState
from football_assets.sequences.state_table import build_team_state
from football_assets_tests.builders.team_states import ASKED, assert_same_bits, table_of
from football_assets_tests.builders.worlds import (
    TRUTH,
    VILLAGE,
    SimulatedCountries,
)


def test_a_state_made_before_there_was_a_shift_serves_its_own_model_and_no_later_one(
    countries: SimulatedCountries, state: TeamState
) -> None:
    """Its model reads no shift."""
    earlier = DEFAULT_SPEC.model_copy(
        update={"context": tuple(f for f in DEFAULT_SPEC.context if f.name != HOME_ADVANTAGE_SHIFT)}
    )
    table = table_of(countries.tables.of(TRUTH))
    old = table.drop("home_advantage").filter(pl.col("league_id").is_not_null())
    fixtures = countries.tables.of(TRUTH).match_features.filter(~pl.col("is_played")).select(ASKED)
    column = DEFAULT_SPEC.context_names.index(HOME_ADVANTAGE_SHIFT)

    found = TeamState(old, earlier).encode_rows(fixtures)

    expected = state.encode_rows(fixtures)
    np.testing.assert_array_equal(found.context, np.delete(expected.context, column, axis=1))
    with pytest.raises(FootballError, match="home_advantage_shift"):
        TeamState(old, DEFAULT_SPEC)


def test_the_state_of_a_country_does_not_depend_on_the_others_or_on_the_order_of_rows(
    countries: SimulatedCountries, state: TeamState
) -> None:
    tables = countries.tables
    sides, form, ratings = (
        table.sample(fraction=1, shuffle=True, seed=3)
        for table in (tables.team_matches, tables.team_form, tables.team_ratings)
    )
    shuffled = build_team_state(sides, form, ratings, DEFAULT_SPEC)
    assert_frame_equal(shuffled, table_of(tables), check_exact=True)
    everywhere = TeamState(shuffled, DEFAULT_SPEC)
    fixtures = tables.of(TRUTH).match_features.filter(~pl.col("is_played")).select(ASKED)

    assert_same_bits(everywhere.encode_rows(fixtures), state.encode_rows(fixtures))


def test_identifiers_of_matches_that_do_not_follow_the_days_change_nothing_else(
    countries: SimulatedCountries,
) -> None:
    tables = countries.tables.of(TRUTH)
    ids = tables.stg_matches["match_id"].sort()
    backwards = pl.col("match_id").replace_strict(ids, ids.reverse())
    matches, form, ratings = (
        table.with_columns(backwards)
        for table in (tables.team_matches, tables.team_form, tables.team_ratings)
    )
    scrambled = build_team_state(matches, form, ratings, DEFAULT_SPEC)

    assert_frame_equal(scrambled.drop("history"), table_of(tables).drop("history"), check_exact=True)


def test_a_team_belongs_to_its_last_league_and_not_to_a_cup(countries: SimulatedCountries) -> None:
    table = table_of(countries.tables.of(TRUTH)).filter(pl.col("team_id").is_not_null())
    matches = countries.tables.of(TRUTH).team_matches.filter(~pl.col("is_cup"))

    expected = dict(
        matches.sort("kickoff_date").group_by("team_id").last().select("team_id", "league_id").rows()
    )
    expected[f"eng:{VILLAGE}"] = "eng.cup"

    assert dict(table.select("team_id", "league_id").rows()) == expected
    assert table["team"].to_list() == [name.removeprefix("eng:") for name in table["team_id"]]
