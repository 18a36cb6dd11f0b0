"""The encoder: a history holds the last matches of earlier days, whatever order they came in, and nothing else."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from football_assets.features.ratings import rate_matches
from football_assets.sequences.encoder import (
    TeamHistory,
    encode,
    encode_context,
    history_rows,
    is_in_pairs,
    read_histories,
)
from football_assets.sequences.spec import DEFAULT_SPEC, OBSERVED, Feature, FeatureSpec
from football_assets_tests.builders.worlds import SimulatedCountries

FIRST_DAY = date(2015, 8, 1)
DAYS = 12
TEAMS = ("eng:Ash", "eng:Birch", "eng:Cedar", "eng:Elm", "eng:Fir")
SPEC = DEFAULT_SPEC.model_copy(
    update={"history_length": 3, "history": tuple(f for f in DEFAULT_SPEC.history if f.group == "results")}
)
NAMES = SPEC.history_names

Result = tuple[int, int]
Day = dict[tuple[str, str], Result | None]  # who meets whom, and the score if it was played


@st.composite
def days(draw: st.DrawFn) -> Day:
    """Up to two matches among five teams, nobody twice."""
    order = draw(st.permutations(TEAMS))
    score = st.none() | st.tuples(st.integers(0, 6), st.integers(0, 6))
    return {(order[2 * i], order[2 * i + 1]): draw(score) for i in range(draw(st.integers(0, 2)))}


calendars = st.lists(days(), min_size=DAYS, max_size=DAYS)


def stg_matches(calendar: list[Day]) -> pl.DataFrame:
    rows = [
        (f"{home}-{away}-{number}", FIRST_DAY + timedelta(days=number), home, away, *(score or (None, None)))
        for number, day in enumerate(calendar)
        for (home, away), score in day.items()
    ]
    schema = {
        "match_id": pl.String,
        "kickoff_date": pl.Date,
        "home_team_id": pl.String,
        "away_team_id": pl.String,
        "home_goals": pl.Int16,
        "away_goals": pl.Int16,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        league_id=pl.lit("eng.1"),
        country=pl.lit("eng"),
        tier=pl.lit(1),
        season=pl.lit("2015-16"),
        is_cup=pl.lit(False),
        is_played=pl.col("home_goals").is_not_null(),
    )


def team_matches(matches: pl.DataFrame) -> pl.DataFrame:
    sides = [
        matches.select(
            "match_id",
            "kickoff_date",
            "league_id",
            "is_played",
            "is_cup",
            pl.col(f"{side}_team_id").alias("team_id"),
            pl.col(f"{other}_team_id").alias("opponent_id"),
            pl.lit(side == "home").alias("is_home"),
            pl.col(f"{side}_goals").alias("goals_for"),
            pl.col(f"{other}_goals").alias("goals_against"),
        )
        for side, other in (("home", "away"), ("away", "home"))
    ]
    played_day = pl.when("is_played").then("kickoff_date")
    return (
        pl.concat(sides)
        .sort("kickoff_date")
        .with_columns(
            rest_days=(
                pl.col("kickoff_date") - played_day.shift(1).forward_fill().over("team_id")
            ).dt.total_days()
        )
    )


def rows_of(calendar: list[Day]) -> pl.DataFrame:
    matches = stg_matches(calendar)
    return history_rows(team_matches(matches), rate_matches(matches))


def histories(rows: pl.DataFrame, until: int = DAYS) -> np.ndarray:
    """Of every team on every day up to the number `until`, `[days, teams, length, features]`."""
    history = TeamHistory(rows, SPEC)
    wanted = [(team, FIRST_DAY + timedelta(days=day)) for day in range(until + 1) for team in TEAMS]
    teams, dates = zip(*wanted, strict=True)
    found = history.before(pl.Series(teams), pl.Series(dates))
    return found.reshape(until + 1, len(TEAMS), SPEC.history_length, len(NAMES))


@given(calendars, calendars, st.integers(0, DAYS - 1))
@settings(deadline=None, max_examples=40)
def test_what_happens_on_a_day_and_after_it_moves_no_history_of_that_day_or_earlier(
    calendar: list[Day], other: list[Day], day: int
) -> None:
    rewritten = calendar[:day] + other[day:]

    before, after = (histories(rows_of(world), until=day) for world in (calendar, rewritten))

    np.testing.assert_array_equal(before, after)


@given(calendars)
@settings(deadline=None, max_examples=30)
def test_a_history_is_the_last_matches_of_earlier_days_packed_to_the_right(calendar: list[Day]) -> None:
    found = histories(rows_of(calendar))

    for day in range(DAYS + 1):
        for number, team in enumerate(TEAMS):
            expected = np.zeros((SPEC.history_length, 4), dtype=np.float32)
            played = [
                (score[home != team], score[home == team], float(home == team), 1.0)
                for earlier in calendar[:day]
                for (home, away), score in earlier.items()
                if score is not None and team in (home, away)
            ][-SPEC.history_length :]
            if played:
                expected[-len(played) :] = played
            columns = [NAMES.index(name) for name in ("goals_for", "goals_against", "is_home", OBSERVED)]
            np.testing.assert_array_equal(found[day, number][:, columns], expected)
            assert not found[day, number][: SPEC.history_length - len(played)].any()


@given(calendars, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_the_order_of_the_rows_does_not_matter(calendar: list[Day], seed: int) -> None:
    matches = stg_matches(calendar)
    sides, ratings = team_matches(matches), rate_matches(matches)

    shuffled = history_rows(
        sides.sample(fraction=1, shuffle=True, seed=seed), ratings.sample(fraction=1, shuffle=True, seed=seed)
    )

    np.testing.assert_array_equal(histories(rows_of(calendar)), histories(shuffled))


TWO_MEETINGS: list[Day] = [
    {(TEAMS[0], TEAMS[1]): (3, 1)},
    {},
    {},
    {(TEAMS[1], TEAMS[0]): (0, 2), (TEAMS[2], TEAMS[3]): None},
]


def test_a_match_brings_both_teams_ratings_from_before_it() -> None:
    ratings = rate_matches(stg_matches(TWO_MEETINGS)).filter(kickoff_date=FIRST_DAY + timedelta(days=3))
    ash, birch = (ratings.row(by_predicate=pl.col("team_id") == team, named=True) for team in TEAMS[:2])
    assert ash["elo"] > birch["elo"]

    (_, _, last) = histories(rows_of(TWO_MEETINGS))[4, 0]

    found = dict(zip(NAMES, last.tolist(), strict=True))
    assert found == pytest.approx(
        {
            "goals_for": 2,
            "goals_against": 0,
            "is_home": 0,
            "elo": ash["elo"],
            "opponent_elo": birch["elo"],
            "attack": ash["attack"],
            "defence": ash["defence"],
            "opponent_attack": birch["attack"],
            "opponent_defence": birch["defence"],
            "rest_days": 3,
            "is_cup": 0,
            "observed": 1,
        },
        rel=1e-6,
    )


def test_the_rest_before_a_first_match_is_not_known() -> None:
    (_, _, first) = histories(rows_of(TWO_MEETINGS))[1, 0]

    assert np.isnan(first[NAMES.index("rest_days")])
    assert np.isnan(first).sum() == 1


def test_a_team_without_a_match_or_without_a_name_has_padding_alone() -> None:
    history = TeamHistory(rows_of(TWO_MEETINGS), SPEC)
    teams = pl.Series(["eng:Nobody", None, "", "de:Ash", TEAMS[2], "eng:As", "zzz:Last"])

    found = history.before(teams, pl.Series([date(2030, 1, 1)] * len(teams)))

    assert found.shape == (len(teams), 3, len(NAMES))
    assert not found.any()


def test_without_any_match_every_history_is_padding() -> None:
    history = TeamHistory(rows_of([{}]), SPEC)

    found = history.before(pl.Series([TEAMS[0], None]), pl.Series([FIRST_DAY, FIRST_DAY]))

    assert found.shape == (2, 3, len(NAMES))
    assert not found.any()


def test_no_fixtures_give_no_rows() -> None:
    history = TeamHistory(rows_of(TWO_MEETINGS), SPEC)

    found = history.before(pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.Date))

    assert found.shape == (0, 3, len(NAMES))


def test_the_specification_rules_the_columns_and_their_order() -> None:
    reordered = FeatureSpec(history_length=2, history=SPEC.history[::-1], context=SPEC.context[:1])
    plain = TeamHistory(rows_of(TWO_MEETINGS), SPEC)
    other = TeamHistory(rows_of(TWO_MEETINGS), reordered)
    where = pl.Series([TEAMS[0]]), pl.Series([FIRST_DAY + timedelta(days=9)])

    np.testing.assert_array_equal(other.before(*where), plain.before(*where)[:, -2:, ::-1])


def test_dates_before_1970_are_days_like_any_other() -> None:
    rows = rows_of(TWO_MEETINGS).with_columns(pl.col("kickoff_date").dt.offset_by("-100y"))
    history = TeamHistory(rows, SPEC)

    found = history.before(pl.Series([TEAMS[0]] * 2), pl.Series([date(1915, 8, 2), date(1915, 8, 1)]))

    assert found[:, :, NAMES.index(OBSERVED)].sum(axis=1).tolist() == [1, 0]


CONTEXT = tuple(
    Feature(name=name, unit="goals", lower=0, upper=9, description=name)
    for name in ("away_form", "home_form")
)


def test_the_context_is_in_order_of_the_specification_with_nan_where_nothing_is_known() -> None:
    spec = FeatureSpec(history=SPEC.history, context=CONTEXT)
    fixtures = pl.DataFrame({"home_form": [1, None], "away_form": [0.1, 7.0], "more": ["x", "y"]})

    found = encode_context(fixtures, spec)

    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array([[0.1, 1], [7, np.nan]], dtype=np.float32))


def test_a_longer_history_ends_with_the_shorter_and_starts_with_padding() -> None:
    history = TeamHistory(rows_of(TWO_MEETINGS), SPEC)
    spans = history.spans(pl.Series(TEAMS), pl.Series([date(2030, 1, 1)] * len(TEAMS)))

    longer, shorter = (read_histories(history.past, spans, length) for length in (6, 2))

    np.testing.assert_array_equal(longer[:, -2:], shorter)
    assert (spans[:, 1] - spans[:, 0]).tolist() == [2, 2, 0, 0, 0]
    assert longer[0, -2:].any()
    assert not longer[:, :-2].any()


def broken_tables(countries: SimulatedCountries) -> dict[str, tuple[pl.DataFrame, pl.DataFrame]]:
    """`team_matches` and `team_ratings` as they are made, and with rows that are not two by two beside each other."""
    matches, ratings = countries.tables.team_matches, countries.tables.team_ratings
    swapped = np.arange(len(ratings)) ^ 1
    return {
        "as made": (matches, ratings),
        "a side of a match is missing in both": (matches[1:], ratings[1:]),
        "a match is missing in the ratings": (matches, ratings[:-2]),
        "sides of the ratings are exchanged": (matches, ratings[swapped]),
        "matches are in another order": (matches[::-1], ratings),
        "sides stand apart": (matches.sort("team_id"), ratings.sort("team_id")),
    }


@pytest.mark.parametrize(
    "case",
    [
        "as made",
        "a side of a match is missing in both",
        "a match is missing in the ratings",
        "sides of the ratings are exchanged",
        "matches are in another order",
        "sides stand apart",
    ],
)
def test_a_past_match_has_the_ratings_of_its_two_teams_however_the_tables_are_ordered(
    countries: SimulatedCountries, case: str
) -> None:
    matches, ratings = broken_tables(countries)[case]
    rated = {(row["match_id"], row["team_id"]): row for row in ratings.iter_rows(named=True)}

    assert is_in_pairs(matches, ratings) is (case == "as made")

    found = history_rows(matches, ratings)
    assert found["match_id"].to_list() == matches.filter("is_played")["match_id"].to_list()
    for row in found.iter_rows(named=True):
        own = rated.get((row["match_id"], row["team_id"]), {})
        others = rated.get((row["match_id"], row["opponent_id"]), {})
        for name in ("elo", "attack", "defence"):
            assert row[name] == own.get(name)
            assert row[f"opponent_{name}"] == others.get(name)


def test_an_odd_number_of_rows_is_not_in_pairs_and_any_even_number_is(countries: SimulatedCountries) -> None:
    matches, ratings = countries.tables.team_matches, countries.tables.team_ratings

    assert [is_in_pairs(matches[:n], ratings[:n]) for n in range(10)] == [n % 2 == 0 for n in range(10)]


@pytest.mark.parametrize("column", ["match_id", "team_id", "opponent_id"])
def test_tables_that_differ_in_a_key_are_not_in_pairs(countries: SimulatedCountries, column: str) -> None:
    matches, ratings = countries.tables.team_matches, countries.tables.team_ratings
    other = matches.with_columns(pl.when(pl.int_range(pl.len()) != 4).then(column).otherwise(pl.lit("eng:X")))

    assert not is_in_pairs(other, ratings)


def test_a_fixture_has_the_history_of_each_side_and_its_context() -> None:
    spec = FeatureSpec(history_length=2, history=SPEC.history, context=CONTEXT)
    history = TeamHistory(rows_of(TWO_MEETINGS), spec)
    day = FIRST_DAY + timedelta(days=3)
    fixtures = pl.DataFrame(
        {"home_team_id": [TEAMS[1]], "away_team_id": [TEAMS[2]], "kickoff_date": [day], "home_form": [1]}
    ).with_columns(away_form=pl.lit(2))

    found = encode(fixtures, history, spec)

    assert len(found) == 1
    np.testing.assert_array_equal(found.home_history, history.before(pl.Series([TEAMS[1]]), pl.Series([day])))
    goals = found.home_history[0, :, [NAMES.index("goals_for"), NAMES.index("goals_against")]]
    assert goals.T.tolist() == [[0, 0], [1, 3]]
    assert not found.away_history.any()
    assert found.context.tolist() == [[2, 1]]
