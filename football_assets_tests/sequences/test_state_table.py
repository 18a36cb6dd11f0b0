"""The table of the team state: rows by team and league, whatever the order of the tables' rows."""

from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from football_assets.errors import FootballError
from football_assets.features.rating_columns import RESULT_CONTEXT
from football_assets.sequences.columns import RATED_TABLES
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT
from football_assets.sequences.state import TeamState
from football_assets.sequences.state_table import rated_columns_read
from football_assets_tests.builders.team_states import ASKED, assert_same_bits, table_of
from football_assets_tests.builders.worlds import TRUTH, VILLAGE, FeatureTables, SimulatedCountries


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


def test_a_state_made_before_odds_and_shots_were_rated_serves_its_own_model_and_no_later_one(
    countries: SimulatedCountries, state: TeamState
) -> None:
    earlier = DEFAULT_SPEC.model_copy(
        update={
            part: tuple(
                f
                for f in getattr(DEFAULT_SPEC, part)
                if f.group == "results" and f.name not in RESULT_CONTEXT
            )
            for part in ("history", "context")
        }
    )
    tables = countries.tables.of(TRUTH)
    rated = {name for table in RATED_TABLES for name in (*table.team_state, *table.league_state)}
    old = tables.team_state(earlier).drop(rated)
    fixtures = tables.match_features.filter(~pl.col("is_played")).select(ASKED)

    found = TeamState(old, earlier).encode_rows(fixtures)

    expected = state.encode_rows(fixtures)
    for name, part in (("home_history", "history"), ("away_history", "history"), ("context", "context")):
        names = [feature.name for feature in getattr(DEFAULT_SPEC, part)]
        kept = [names.index(feature.name) for feature in getattr(earlier, part)]
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name)[..., kept])
    with pytest.raises(FootballError, match=r"does not hold: odds_rated, .*result_supremacy.*shots_rated"):
        TeamState(tables.team_state().drop(rated), DEFAULT_SPEC)


def test_the_columns_that_are_said_to_be_read_of_the_ratings_are_all_that_is_read(
    countries: SimulatedCountries,
) -> None:
    tables = countries.tables.of(TRUTH)
    read = {name: getattr(tables, name).select(columns) for name, columns in rated_columns_read().items()}

    found = replace(tables, **read).team_state()

    assert_frame_equal(found, tables.team_state(), check_exact=True)


def test_a_teams_ratings_are_those_after_its_last_match_and_a_leagues_those_after_its_last_day(
    countries: SimulatedCountries,
) -> None:
    tables = countries.tables.of(TRUTH)
    table = tables.team_state()
    for rated in RATED_TABLES:
        rows = getattr(tables, rated.name).sort("kickoff_date", "match_id")
        after = {name: f"{name}_after" for name in (*rated.team_state, *rated.league_state)}
        team = rows.filter(pl.col("is_played") & (pl.col("team_id") == "eng:Town 11"))[-1]
        league = rows.filter(league_id="eng.2")[-1]
        for row, names, found in (
            (team, rated.team_state, table.filter(team_id="eng:Town 11")),
            (league, rated.league_state, table.filter(pl.col("team_id").is_null(), league_id="eng.2")),
        ):
            assert found.select(names).row(0) == row.select(after[name] for name in names).row(0)


def test_the_state_of_a_country_does_not_depend_on_the_others_or_on_the_order_of_rows(
    countries: SimulatedCountries, state: TeamState
) -> None:
    tables = countries.tables
    shuffled = FeatureTables(
        *(
            getattr(tables, field.name).sample(fraction=1, shuffle=True, seed=3)
            for field in fields(FeatureTables)
        )
    ).team_state()
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
    scrambled = FeatureTables(
        *(getattr(tables, field.name).with_columns(backwards) for field in fields(FeatureTables))
    ).team_state()

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
