"""Features that know the future are found, and those that do not are not."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import polars as pl
import pytest

from football_assets.features.as_of import (
    FORM_READ,
    SIDES_READ,
    form_that_is_not_as_of_kickoff,
    ratings_that_know_their_day,
)
from football_assets.features.market_ratings import rate_markets
from football_assets.features.ratings import RATINGS, RatingConfig, rate_matches
from football_assets_tests.builders.stg_matches import START, Row, stg_matches

# A and B play twice on the last played day, at the same kick-off as C and D.
SEASON: list[Row] = [
    ("x.1", 0, "A", "B", 3, 0),
    ("x.1", 0, "C", "D", 1, 1),
    ("x.1", 7, "B", "C", 2, 1),
    ("x.1", 14, "A", "B", 4, 0),
    ("x.1", 14, "A", "C", 0, 2),
    ("x.1", 14, "D", "B", 1, 0),
    ("x.1", 14, "E", "F", None, None),
    ("x.1", 21, "C", "A", None, None),
]


def on_day(day: int) -> pl.Expr:
    return pl.col("kickoff_date") == START + timedelta(days=day)


def found(matches: pl.DataFrame, ratings: pl.DataFrame) -> list[tuple[str, str]]:
    return sorted(ratings_that_know_their_day(matches, ratings, rate_matches, RATINGS).rows())


def rated(*rows: Row) -> tuple[pl.DataFrame, pl.DataFrame]:
    matches = stg_matches(rows)
    return matches, rate_matches(matches)


def leaked(ratings: pl.DataFrame, rating: str, day: int, of: pl.Expr | None = None) -> pl.DataFrame:
    """The ratings of a day replaced by those that its results led to."""
    rows = on_day(day) if of is None else on_day(day) & of
    return ratings.with_columns(
        pl.when(rows & pl.col("is_played")).then(f"{rating}_after").otherwise(rating).alias(rating)
    )


def test_ratings_as_the_stage_makes_them_know_nothing_of_their_day() -> None:
    matches, ratings = rated(*SEASON)

    assert found(matches, ratings) == []
    assert found(matches, ratings.reverse()) == []


@pytest.mark.parametrize("rating", RATINGS)
def test_a_rating_that_holds_the_result_of_its_match_is_found_by_match_and_team(rating: str) -> None:
    matches, ratings = rated(*SEASON)

    wrong = ratings_that_know_their_day(
        matches, leaked(ratings, rating, 14, pl.col("match_id") == "x.1-14-D-B"), rate_matches, RATINGS
    )

    assert wrong.columns == ["match_id", "team_id"]
    assert sorted(wrong.rows()) == [("x.1-14-D-B", "x:B"), ("x.1-14-D-B", "x:D")]


def test_a_rating_that_holds_another_result_of_the_same_kick_off_is_found() -> None:
    """A's second match of the day, rated after its first."""
    matches, ratings = rated(*SEASON)
    earlier = matches.filter(pl.col("match_id") != "x.1-14-A-C")
    after_the_first = rate_matches(earlier).filter(
        (pl.col("match_id") == "x.1-14-A-B") & (pl.col("team_id") == "x:A")
    )["elo_after"]
    second = (pl.col("match_id") == "x.1-14-A-C") & (pl.col("team_id") == "x:A")

    wrong = found(
        matches,
        ratings.with_columns(pl.when(second).then(after_the_first.item()).otherwise("elo").alias("elo")),
    )

    assert wrong == [("x.1-14-A-C", "x:A")]


def test_a_missing_rating_and_a_match_that_was_never_staged_are_found() -> None:
    matches, ratings = rated(*SEASON)
    blank = (pl.col("match_id") == "x.1-14-E-F") & (pl.col("team_id") == "x:F")
    ratings = ratings.with_columns(pl.when(~blank).then("defence").alias("defence"))

    assert found(matches, ratings) == [("x.1-14-E-F", "x:F")]
    assert found(matches.filter(pl.col("match_id") != "x.1-14-A-C"), rate_matches(matches)) == [
        ("x.1-14-A-C", "x:A"),
        ("x.1-14-A-C", "x:C"),
    ]


def test_the_last_played_day_is_asked_and_not_the_fixtures_after_it() -> None:
    matches, ratings = rated(*SEASON)

    assert found(matches, leaked(ratings, "elo", 7)) == []
    assert found(matches, ratings.with_columns(pl.when(~on_day(21)).then("elo").alias("elo"))) == []
    earlier = matches.filter(pl.col("kickoff_date") < START + timedelta(days=14))
    assert found(earlier, leaked(ratings, "elo", 7)) == [
        ("x.1-7-B-C", "x:B"),
        ("x.1-7-B-C", "x:C"),
    ]


def test_a_country_that_did_not_play_on_the_last_day_is_left_out() -> None:
    matches, ratings = rated(*SEASON, ("y.1", 7, "G", "H", 5, 0))

    assert found(matches, leaked(ratings, "elo", 7)) == []
    assert found(matches, leaked(ratings, "elo", 14, pl.col("match_id") == "x.1-14-A-C")) == [
        ("x.1-14-A-C", "x:A"),
        ("x.1-14-A-C", "x:C"),
    ]


def test_ratings_are_compared_with_those_of_the_same_constants() -> None:
    matches = stg_matches(SEASON)
    config = RatingConfig(elo_k=50.0)
    ratings = rate_matches(matches, config)

    with_config = partial(rate_matches, config=config)
    assert ratings_that_know_their_day(matches, ratings, with_config, RATINGS).is_empty()
    # E and F have no match behind them: the entry rating does not depend on k before an established team has played.
    teams = {team for _, team in found(matches, ratings)}
    assert teams == {"x:A", "x:B", "x:C", "x:D"}


@pytest.mark.parametrize("column", ["home_goals", "away_goals", "is_played"])
def test_ratings_are_not_compared_with_ones_that_know_the_day_too(column: str) -> None:
    """A fault of the ratings themselves shows, since they are computed again without the results of the day."""

    def rate(matches: pl.DataFrame) -> pl.DataFrame:
        known = matches.select("match_id", pl.col(column).cast(pl.Float64).fill_null(0).alias("known"))
        ratings = rate_matches(matches).join(known, on="match_id", maintain_order="left")
        return ratings.with_columns(attack=pl.col("attack") + pl.col("known"))

    matches = stg_matches([("x.1", 0, "A", "B", 1, 1), ("x.1", 0, "C", "D", None, None)])
    wrong = ratings_that_know_their_day(matches, rate(matches), rate, RATINGS)

    assert sorted(wrong.rows()) == [("x.1-0-A-B", "x:A"), ("x.1-0-A-B", "x:B")]


def test_a_rating_that_is_null_on_both_sides_is_equal() -> None:
    matches, _ = rated(*SEASON)
    market = rate_markets(matches)

    assert market["odds_strength"].null_count() == len(market)
    assert ratings_that_know_their_day(matches, market, rate_markets, ["odds_strength"]).is_empty()
    wrong = market.with_columns(odds_strength=pl.when(on_day(14)).then(0.0))
    assert len(ratings_that_know_their_day(matches, wrong, rate_markets, ["odds_strength"])) == 8


def test_before_the_first_result_no_rating_can_know_one() -> None:
    matches, ratings = rated(*[(*row[:4], None, None) for row in SEASON])

    wrong = ratings_that_know_their_day(matches, ratings.with_columns(elo=0.0), rate_matches, RATINGS)

    assert wrong.rows() == []
    assert wrong.columns == ["match_id", "team_id"]


def sides(**points: Sequence[int | None]) -> pl.DataFrame:
    """`team_matches` of some teams: their points a day from START on; None stands for a fixture."""
    rows = [
        (f"x:{team}", START + timedelta(days=day), scored is not None, scored)
        for team, values in points.items()
        for day, scored in enumerate(values)
    ]
    return pl.DataFrame(
        rows,
        schema=dict(zip(SIDES_READ, [pl.String, pl.Date, pl.Boolean, pl.Int8], strict=True)),
        orient="row",
    )


def features(day: int, home_points: float | None, away_points: float | None) -> pl.DataFrame:
    """One match of A and B with the form that the table holds."""
    row = ("m", "x.1", START + timedelta(days=day), "x:A", home_points, "x:B", away_points)
    types = [pl.String, pl.String, pl.Date, pl.String, pl.Float64, pl.String, pl.Float64]
    return pl.DataFrame([row], schema=dict(zip(FORM_READ, types, strict=True)), orient="row")


TEAM_MATCHES = sides(A=[3, 0, 1, 3, 3, 0, 3], B=[1, 1, 3, 0, 0, 1, 1], C=[3, 3, 3, 3, 3, 3, 3])


def test_points_of_the_last_five_earlier_days_are_right() -> None:
    """On day 6, A has taken 0, 1, 3, 3 and 0 points, B 1, 3, 0, 0 and 1; on day 2, A 3 and 0, B 1 and 1."""
    for match in (features(6, 7 / 5, 5 / 5), features(2, 3 / 2, 2 / 2)):
        assert form_that_is_not_as_of_kickoff(TEAM_MATCHES, match).rows() == []
        assert form_that_is_not_as_of_kickoff(TEAM_MATCHES.reverse(), match).rows() == []


def test_points_of_the_day_itself_are_found_with_what_the_table_should_hold() -> None:
    """With its win of day 6, A has taken 1, 3, 3, 0 and 3 points."""
    wrong = form_that_is_not_as_of_kickoff(TEAM_MATCHES, features(6, 10 / 5, 5 / 5))

    assert wrong.columns == ["match_id", "team_id", "points_5", "expected"]
    assert wrong.rows() == [("m", "x:A", 2.0, 1.4)]


def test_another_match_of_the_same_kick_off_is_not_an_earlier_one() -> None:
    """B has a second match on day 6, which it won."""
    second = sides(B=[3]).with_columns(kickoff_date=pl.lit(START + timedelta(days=6)))
    matches = pl.concat([TEAM_MATCHES, second])

    assert form_that_is_not_as_of_kickoff(matches, features(6, 1.4, 1.0)).rows() == []
    # 3, 0, 0, 1 and the 3 of the second match.
    assert form_that_is_not_as_of_kickoff(matches, features(6, 1.4, 7 / 5)).rows() == [("m", "x:B", 1.4, 1.0)]


def test_a_team_has_its_own_points_and_not_its_opponents() -> None:
    swapped = form_that_is_not_as_of_kickoff(TEAM_MATCHES, features(6, 1.0, 1.4))

    assert sorted(swapped.rows()) == [("m", "x:A", 1.0, 1.4), ("m", "x:B", 1.4, 1.0)]


def test_fixtures_on_the_way_give_no_points() -> None:
    """A's match of day 1 was not played: its five before day 6 are 3, 1, 3, 3 and 0."""
    matches = sides(A=[3, None, 1, 3, 3, 0], B=[1, 1, 3, 0, 0, 1])

    assert form_that_is_not_as_of_kickoff(matches, features(6, 10 / 5, 1.0)).rows() == []
    assert form_that_is_not_as_of_kickoff(matches, features(6, 7 / 4, 1.0)).rows() == [
        ("m", "x:A", 1.75, 2.0)
    ]


def test_form_without_an_earlier_match_and_no_form_in_spite_of_one_are_found() -> None:
    first = features(0, None, None)
    assert form_that_is_not_as_of_kickoff(TEAM_MATCHES, first).rows() == []
    assert form_that_is_not_as_of_kickoff(sides(), first).rows() == []

    assert form_that_is_not_as_of_kickoff(TEAM_MATCHES, features(0, 3.0, None)).rows() == [
        ("m", "x:A", 3.0, None)
    ]
    assert form_that_is_not_as_of_kickoff(TEAM_MATCHES, features(1, 3.0, None)).rows() == [
        ("m", "x:B", None, 1.0)
    ]


def test_a_difference_in_the_last_bits_is_none() -> None:
    assert form_that_is_not_as_of_kickoff(TEAM_MATCHES, features(6, 1.4 + 1e-12, 1.0)).rows() == []
    assert form_that_is_not_as_of_kickoff(TEAM_MATCHES, features(6, 1.4 + 1e-6, 1.0)).height == 1
