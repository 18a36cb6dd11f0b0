"""Context computed from ratings: by match and side, whatever the order of the rows."""

from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from football_assets.domain.bookmaker_margin import implied_probabilities, power_probabilities
from football_assets.domain.measures import BOOKMAKER_ODDS, CLOSING_ODDS, PRE_MATCH_ODDS
from football_assets.errors import FootballError
from football_assets.sequences.columns import MARKET_TABLE, RATED_TABLES, SHOT_TABLE, RatedTable, columns_read
from football_assets.sequences.rating_context import (
    check_odds,
    market_labels,
    pre_match_odds,
    rating_context,
    read_rated_table,
    with_rating_context,
)
from football_assets.sequences.spec import DEFAULT_SPEC, MATCH_ODDS
from football_assets.sequences.tensors import build_tensors, open_tensors
from football_assets.sequences.tiers import tier_of
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.tables import write_by_country
from football_assets_tests.builders.worlds import TRUTH, FeatureTables, SimulatedCountries

NAN = float("nan")


@pytest.fixture(scope="module")
def tables(countries: SimulatedCountries) -> FeatureTables:
    return countries.tables.of(TRUTH)


def rated(tables: FeatureTables) -> dict[RatedTable, pl.DataFrame]:
    return {MARKET_TABLE: tables.team_market_ratings, SHOT_TABLE: tables.team_shot_ratings}


@dataclass(frozen=True)
class States:
    """States of home teams, away teams and leagues before matches, and the matches' days since 1970."""

    home: np.ndarray
    away: np.ndarray
    league: np.ndarray
    days: np.ndarray

    def context(self, table: RatedTable) -> np.ndarray:
        return rating_context(table, self.home, self.away, self.league, self.days)

    def rows(self, rows: slice) -> "States":
        return States(self.home[rows], self.away[rows], self.league[rows], self.days[rows])


def states_before(tables: FeatureTables, table: RatedTable, match_id: str) -> States:
    """The states before one match, read row by row."""
    rows = rated(tables)[table].filter(match_id=match_id)
    home, away = (rows.filter(is_home=is_home).row(0, named=True) for is_home in (True, False))
    columns = ((home, table.team_state), (away, table.team_state), (home, table.league_state))
    own, others, leagues = (
        np.array([[NAN if row[name] is None else row[name] for name in names]], dtype=np.float64)
        for row, names in columns
    )
    return States(
        own,
        others,
        leagues,
        np.array([(home["kickoff_date"] - date(1970, 1, 1)).days]),
    )


@pytest.mark.parametrize("table", RATED_TABLES)
def test_a_match_has_the_context_of_its_own_sides_league_and_day(
    tables: FeatureTables, table: RatedTable
) -> None:
    fixtures = tables.match_features.sample(40, seed=2)

    found = with_rating_context(fixtures, rated(tables), DEFAULT_SPEC)

    assert found["match_id"].to_list() == fixtures["match_id"].to_list()
    for row in found.iter_rows(named=True):
        expected = states_before(tables, table, row["match_id"]).context(table)
        np.testing.assert_array_equal(
            np.array([row[name] for name in table.context], dtype=np.float32), expected[0]
        )


@pytest.mark.parametrize("table", RATED_TABLES)
def test_one_match_alone_has_the_bits_that_it_has_among_others_in_any_layout(
    tables: FeatureTables, table: RatedTable
) -> None:
    ids = tables.match_features.sort("kickoff_date")["match_id"][200:330]
    every = [states_before(tables, table, match_id) for match_id in ids]
    together = States(
        **{
            field.name: np.concatenate([getattr(one, field.name) for one in every])
            for field in fields(States)
        }
    )
    assert not np.isnan(together.home).all()

    expected = together.context(table)

    assert expected.dtype == np.float32
    for size in (1, 2, 3, 5, 8, 17):
        parts = [together.rows(slice(at, at + size)).context(table) for at in range(0, len(ids), size)]
        np.testing.assert_array_equal(np.concatenate(parts), expected)
    by_column = replace(
        together, **{name: np.asfortranarray(getattr(together, name)) for name in ("home", "away", "league")}
    )
    np.testing.assert_array_equal(by_column.context(table), expected)


@pytest.mark.parametrize("table", RATED_TABLES)
def test_a_match_that_no_table_knows_has_flags_of_zero_and_nothing_else(
    tables: FeatureTables, table: RatedTable
) -> None:
    fixture = tables.match_features.head(1).with_columns(match_id=pl.lit("nowhere"))

    found = with_rating_context(fixture, rated(tables), DEFAULT_SPEC).row(0, named=True)

    flag, *others = table.context
    assert found[flag] == 0
    assert all(np.isnan(found[name]) for name in others)


def test_no_fixture_gives_no_row(tables: FeatureTables) -> None:
    found = with_rating_context(tables.match_features.clear(), rated(tables), DEFAULT_SPEC)

    assert found.is_empty()
    assert set(DEFAULT_SPEC.context_names) - {"home_advantage_shift"} <= set(found.columns)


OUTCOMES = ("home", "draw", "away")
Columns = dict[str, float | None]


def odds_of(columns: Columns) -> pl.DataFrame:
    kinds = ("pre_match", "bookmaker", "closing")
    names = [f"{kind}_odds_{outcome}" for kind in kinds for outcome in OUTCOMES]
    return pl.DataFrame({name: pl.Series([columns.get(name)], dtype=pl.Float64) for name in names})


def triple(kind: str, home: float | None, draw: float | None, away: float | None) -> Columns:
    return {f"{kind}_odds_home": home, f"{kind}_odds_draw": draw, f"{kind}_odds_away": away}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (triple("pre_match", 2.0, 4.0, 4.2) | triple("bookmaker", 5.0, 4.0, 1.6), (2.0, 4.0, 4.2)),
        (triple("bookmaker", 5.0, 4.0, 1.6), (5.0, 4.0, 1.6)),
        (triple("pre_match", 2.0, None, 4.2) | triple("bookmaker", 5.0, 4.0, 1.6), (5.0, 4.0, 1.6)),
        (triple("pre_match", 9.0, 9.0, 9.0) | triple("bookmaker", 5.0, 4.0, 1.6), (5.0, 4.0, 1.6)),
        (triple("closing", 2.0, 4.0, 4.2), (NAN, NAN, NAN)),
    ],
)
def test_pre_match_odds_are_the_average_else_a_bookmakers_and_never_those_at_kick_off(
    columns: Columns, expected: tuple[float, float, float]
) -> None:
    found = pre_match_odds(odds_of(columns))

    np.testing.assert_array_equal(implied_probabilities(found), implied_probabilities(np.array([expected])))


def test_a_table_from_before_there_were_such_odds_has_none() -> None:
    assert np.isnan(pre_match_odds(pl.DataFrame({"match_id": ["a", "b"]}))).tolist() == [[True] * 3] * 2


def test_odds_of_a_fixture_are_probabilities_in_the_order_home_draw_away(tables: FeatureTables) -> None:
    fixture = tables.match_features.head(1).with_columns(
        pre_match_odds_home=1.6, pre_match_odds_draw=4.0, pre_match_odds_away=5.0
    )

    found = with_rating_context(fixture, rated(tables), DEFAULT_SPEC).select(MATCH_ODDS).row(0)

    np.testing.assert_allclose(found, power_probabilities(np.array([[1.6, 4.0, 5.0]]))[0], rtol=1e-6)
    assert found[0] > found[1] > found[2]


def test_labels_are_of_the_home_side_and_of_played_matches_only() -> None:
    market = pl.DataFrame(
        {
            "match_id": ["a", "a", "b", "b"],
            "is_home": [False, True, True, False],
            "implied_p_own": [0.2, 0.5, 0.4, 0.3],
            "implied_p_draw": [0.3, 0.3, 0.3, 0.3],
            "implied_p_opponent": [0.5, 0.2, 0.3, 0.4],
            "implied_goals_for": [0.9, 1.7, 1.5, 1.1],
            "implied_goals_against": [1.7, 0.9, 1.1, 1.5],
        }
    )
    matches = pl.DataFrame({"match_id": ["b", "c", "a"], "is_played": [False, True, True]})

    found = market_labels(matches, market)

    assert found.dtype == np.float32
    expected = [[NAN] * 5, [NAN] * 5, [0.5, 0.3, 0.2, 1.7, 0.9]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_possible_odds_pass_and_impossible_ones_are_refused_with_the_reason() -> None:
    check_odds((1.6, 4.0, 5.0))

    with pytest.raises(
        FootballError, match="The odds cannot be used: decimal odds are greater than 1 .* home"
    ):
        check_odds((1.0, 4.5, 5.0))
    with pytest.raises(FootballError, match=r"1/5 \+ 1/4 \+ 1/5 is 0.650; .* between 0.97 and 1.35"):
        check_odds((5.0, 4.0, 5.0))


def test_a_table_of_ratings_that_was_never_written_has_no_row(
    countries: SimulatedCountries, tmp_path: Path
) -> None:
    """A bucket of a version that did not rate odds and shots: the tensors have results only."""
    bucket = open_bucket(str(tmp_path / "bucket"))
    tables = countries.tables.of(TRUTH)
    for name in set(columns_read()) - {table.name for table in RATED_TABLES}:
        write_by_country(bucket, name, getattr(tables, name))
    (tmp_path / "tensors").mkdir()

    build_tensors(bucket, tmp_path / "tensors")

    found = open_tensors(tmp_path / "tensors")
    assert {tier.removesuffix("+match_odds") for tier in tier_of(found.context, found.spec)} == {"results"}
    assert np.isnan(found.market).all()
    assert not found.past[:, found.spec.history_names.index("odds_known")].any()
    assert np.isnan(found.past[:-1, found.spec.history_names.index("shots_for")]).all()


def test_features_of_a_version_without_groups_of_odds_have_unknown_odds(
    countries: SimulatedCountries, tmp_path: Path
) -> None:
    bucket = open_bucket(str(tmp_path / "bucket"))
    tables, odds = countries.tables.of(TRUTH), [*PRE_MATCH_ODDS, *BOOKMAKER_ODDS, *CLOSING_ODDS]
    for name in columns_read():
        table = getattr(tables, name)
        write_by_country(bucket, name, table.drop(odds) if name == "match_features" else table)
    (tmp_path / "tensors").mkdir()

    build_tensors(bucket, tmp_path / "tensors")

    assert (
        open_tensors(tmp_path / "tensors").keys.select(odds).null_count().row(0)
        == (len(tables.match_features),) * 9
    )


def test_some_countries_of_a_table_of_ratings_can_be_read(countries: SimulatedCountries) -> None:
    columns = ["match_id", "league_id", "odds_strength"]

    found = read_rated_table(countries.bucket, "team_market_ratings", columns, [TRUTH])

    assert found.columns == columns
    assert found["league_id"].str.split(".").list.first().unique().to_list() == [TRUTH]
    assert len(found) == len(countries.tables.of(TRUTH).team_market_ratings)
