"""The checks of ratings and features as Dagster runs, on tables written by hand: what they find and what they say."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    AssetSelection,
    AssetSpec,
    materialize,
)

from football_assets.domain.measures import CLOSING_ODDS
from football_assets.features import as_of
from football_assets.features.checks import checks
from football_assets.features.market_ratings import rate_markets
from football_assets.features.ratings import RATINGS, rate_matches
from football_assets.features.shot_ratings import rate_shots
from football_assets.orchestration.metadata import PREVIEW_ROWS
from football_assets.orchestration.resources import BucketResource
from football_assets_tests.builders.stg_matches import START, Row, stg_matches
from football_assets_tests.builders.tables import write_by_country

OF_RATINGS = ("ratings_know_nothing_of_their_day", "ratings_are_finite_and_complete")
OF_MARKET_RATINGS = ("market_ratings_know_nothing_of_their_day", "market_ratings_are_complete")
OF_SHOT_RATINGS = ("shot_ratings_know_nothing_of_their_day", "shot_ratings_are_complete")
OF_FEATURES = ("every_match_has_features", "form_is_as_of_kickoff")
ASSETS = {
    **dict.fromkeys(OF_RATINGS, "team_ratings"),
    **dict.fromkeys(OF_MARKET_RATINGS, "team_market_ratings"),
    **dict.fromkeys(OF_SHOT_RATINGS, "team_shot_ratings"),
    **dict.fromkeys(OF_FEATURES, "match_features"),
}
SEASON: list[Row] = [
    ("aa.1", 0, "A", "B", 3, 0),
    ("aa.1", 7, "B", "A", 1, 1),
    ("aa.1", 14, "A", "B", None, None),
    ("bb.1", 0, "C", "D", 0, 2),
    ("bb.1", 7, "D", "C", 2, 1),
]


@pytest.fixture
def bucket(tmp_path: Path) -> BucketResource:
    """The tables of two countries; what was rated last is `bb`."""
    bucket = BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))
    matches = with_measures(stg_matches(SEASON))
    write(bucket, "stg_matches", matches)
    write(bucket, "team_matches", team_matches(matches))
    write(bucket, "team_market_ratings", rate_markets(matches))
    write(bucket, "team_shot_ratings", rate_shots(matches))
    write(bucket, "team_ratings", rate_matches(matches))
    write(bucket, "match_features", match_features(matches))
    return bucket


def with_measures(matches: pl.DataFrame) -> pl.DataFrame:
    """Give every match the same odds and shots."""
    measures = {
        **dict(zip(CLOSING_ODDS, (1.8, 3.6, 4.5), strict=True)),
        "home_shots_on_target": 5,
        "away_shots_on_target": 3,
    }
    return matches.with_columns(pl.lit(value).alias(name) for name, value in measures.items())


def write(bucket: BucketResource, name: str, table: pl.DataFrame) -> None:
    """Write the countries of a table one after another, in the order of their names."""
    for country in ("aa", "bb"):
        write_by_country(
            bucket.open(), name, table.filter(pl.col("league_id").str.starts_with(country)), [country]
        )


def team_matches(matches: pl.DataFrame) -> pl.DataFrame:
    """The columns of `team_matches` that the checks read."""
    margin = (pl.col("home_goals") - pl.col("away_goals")).sign()
    return pl.concat(
        matches.select(
            "league_id",
            "kickoff_date",
            "is_played",
            pl.col(f"{side}_team_id").alias("team_id"),
            pl.when(sign * margin > 0)
            .then(3)
            .when(margin == 0)
            .then(1)
            .when(margin != 0)
            .then(0)
            .alias("points"),
        )
        for side, sign in (("home", 1), ("away", -1))
    )


def match_features(matches: pl.DataFrame) -> pl.DataFrame:
    """The columns of `match_features` that the checks read: ratings of 1, and the form by hand."""
    form = {
        "aa.1-0-A-B": (None, None),
        "aa.1-7-B-A": (0.0, 3.0),
        "aa.1-14-A-B": (2.0, 0.5),
        "bb.1-0-C-D": (None, None),
        "bb.1-7-D-C": (3.0, 0.0),
    }
    points = pl.DataFrame(
        [(name, *values) for name, values in form.items()],
        schema={"match_id": pl.String, "home_points_5": pl.Float64, "away_points_5": pl.Float64},
        orient="row",
    )
    rated = [f"{side}_{name}" for side in ("home", "away") for name in RATINGS]
    return matches.join(points, on="match_id").with_columns(
        pl.lit(1.0).alias(name) for name in ("league_home_goals", "league_away_goals", *rated)
    )


def evaluate(bucket: BucketResource, *names: str) -> dict[str, AssetCheckEvaluation]:
    """Run some checks, without what they check."""
    keys = [AssetCheckKey(AssetKey(ASSETS[name]), name) for name in names]
    tables = [AssetSpec(name) for name in ("stg_matches", "team_matches", *dict.fromkeys(ASSETS.values()))]
    result = materialize(
        [*tables, *checks],
        selection=AssetSelection.checks(*keys),
        resources={"bucket": bucket},
        raise_on_error=False,
    )
    return {item.check_name: item for item in result.get_asset_check_evaluations()}


def evaluate_one(bucket: BucketResource, name: str) -> tuple[bool, dict[str, Any]]:
    """Whether a check passed, and its metadata. It is one that blocks what is downstream."""
    (evaluation,) = evaluate(bucket, name).values()
    assert evaluation.severity is AssetCheckSeverity.ERROR
    assert evaluation.blocking
    return evaluation.passed, {name: value.value for name, value in evaluation.metadata.items()}


def test_tables_without_a_fault_pass_with_their_counts(bucket: BucketResource) -> None:
    found = evaluate(bucket, *ASSETS)

    assert {name: item.passed for name, item in found.items()} == dict.fromkeys(ASSETS, True)
    complete = {"rows": 10, "matches": 5, "not_finite": 0, "repeated": 0}
    assert {
        name: {key: value.value for key, value in item.metadata.items()} for name, item in found.items()
    } == {
        "ratings_know_nothing_of_their_day": {"rows": 0, "examples": "None."},
        "ratings_are_finite_and_complete": complete,
        "market_ratings_know_nothing_of_their_day": {"rows": 0, "examples": "None."},
        "market_ratings_are_complete": complete,
        "shot_ratings_know_nothing_of_their_day": {"rows": 0, "examples": "None."},
        "shot_ratings_are_complete": complete,
        "every_match_has_features": {"matches": 5, "missing": 0, "without_ratings": 0},
        "form_is_as_of_kickoff": {"rows": 0, "examples": "None."},
    }


@pytest.mark.parametrize("name", ASSETS)
def test_a_check_that_is_selected_alone_is_evaluated_alone(bucket: BucketResource, name: str) -> None:
    assert list(evaluate(bucket, name)) == [name]


def test_every_check_blocks_and_is_described() -> None:
    specs = {spec.name: spec for definition in checks for spec in definition.check_specs}

    assert {name: (spec.asset_key.path, spec.blocking) for name, spec in specs.items()} == {
        name: ([asset], True) for name, asset in ASSETS.items()
    }
    assert {name: [dep.asset_key.path for dep in spec.additional_deps] for name, spec in specs.items()} == {
        **{name: [["stg_matches"]] for name in ASSETS},
        "form_is_as_of_kickoff": [["team_matches"]],
    }
    assert all(spec.description for spec in specs.values())


def leaked(ratings: pl.DataFrame, day: int, rating: str = "elo") -> pl.DataFrame:
    """Ratings of a day that know its results."""
    on_day = pl.col("kickoff_date") == START + timedelta(days=day)
    return ratings.with_columns(pl.when(on_day).then(f"{rating}_after").otherwise(rating).alias(rating))


def test_ratings_that_know_their_day_fail_with_examples(bucket: BucketResource) -> None:
    ratings = rate_matches(stg_matches(SEASON))
    write(bucket, "team_ratings", leaked(ratings, 7))

    passed, shown = evaluate_one(bucket, "ratings_know_nothing_of_their_day")

    assert not passed
    assert shown == {
        "rows": 2,
        "examples": "| match_id | team_id |\n| --- | --- |\n| bb.1-7-D-C | x:C |\n| bb.1-7-D-C | x:D |",
    }


@pytest.mark.parametrize(
    ("check", "rate", "rating"),
    [
        ("market_ratings_know_nothing_of_their_day", rate_markets, "odds_slow_strength"),
        ("market_ratings_know_nothing_of_their_day", rate_markets, "result_home_advantage"),
        ("shot_ratings_know_nothing_of_their_day", rate_shots, "shots_on_target_margin_4"),
        ("shot_ratings_know_nothing_of_their_day", rate_shots, "shots_on_target_home_advantage"),
    ],
)
def test_ratings_from_odds_and_shots_that_know_their_day_fail(
    bucket: BucketResource, check: str, rate: Callable[[pl.DataFrame], pl.DataFrame], rating: str
) -> None:
    write(bucket, ASSETS[check], leaked(rate(with_measures(stg_matches(SEASON))), 7, rating))

    passed, shown = evaluate_one(bucket, check)

    assert not passed
    assert shown["rows"] == 2
    assert "bb.1-7-D-C" in shown["examples"]


@pytest.mark.parametrize(
    ("check", "rate", "column"),
    [
        ("market_ratings_are_complete", rate_markets, "odds_elo"),
        ("shot_ratings_are_complete", rate_shots, "corners_strength"),
    ],
)
def test_what_a_team_carries_may_be_null_but_not_infinite(
    bucket: BucketResource, check: str, rate: Callable[[pl.DataFrame], pl.DataFrame], column: str
) -> None:
    rated = rate(with_measures(stg_matches(SEASON)))
    assert rated[column].null_count() == 4
    write(bucket, ASSETS[check], rated.with_columns(pl.lit(float("inf")).alias(column)))

    passed, shown = evaluate_one(bucket, check)

    assert not passed
    assert shown == {"rows": 10, "matches": 5, "not_finite": 10, "repeated": 0}


def test_the_country_that_was_rated_last_is_rated_again_and_no_other(bucket: BucketResource) -> None:
    wrong = leaked(rate_matches(stg_matches(SEASON)), 7)
    write_by_country(bucket.open(), "team_ratings", wrong.filter(pl.col("league_id") == "aa.1"), ["aa"])
    passed, shown = evaluate_one(bucket, "ratings_know_nothing_of_their_day")
    assert (passed, shown["rows"]) == (False, 2)
    assert "aa.1-7-B-A" in shown["examples"]

    right = rate_matches(stg_matches(SEASON))
    write_by_country(bucket.open(), "team_ratings", right.filter(pl.col("league_id") == "bb.1"), ["bb"])
    assert evaluate_one(bucket, "ratings_know_nothing_of_their_day")[0]


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
@pytest.mark.parametrize("column", ["elo", "defence", "league_entry_attack"])
def test_a_rating_that_is_no_number_fails(bucket: BucketResource, column: str, value: float | None) -> None:
    first = pl.col("match_id") == "aa.1-0-A-B"
    ratings = rate_matches(stg_matches(SEASON))
    write(
        bucket,
        "team_ratings",
        ratings.with_columns(pl.when(first).then(pl.lit(value, pl.Float64)).otherwise(column).alias(column)),
    )

    passed, shown = evaluate_one(bucket, "ratings_are_finite_and_complete")

    assert not passed
    assert shown == {"rows": 10, "matches": 5, "not_finite": 2, "repeated": 0}


def test_a_null_after_a_fixture_is_no_fault(bucket: BucketResource) -> None:
    """The ratings after a match are null until it is played."""
    ratings = rate_matches(stg_matches(SEASON))

    assert ratings["elo_after"].null_count() == 2
    assert evaluate_one(bucket, "ratings_are_finite_and_complete")[0]


def test_missing_and_repeated_sides_fail(bucket: BucketResource) -> None:
    ratings = rate_matches(stg_matches(SEASON))
    is_b = (pl.col("match_id") == "aa.1-0-A-B") & (pl.col("team_id") == "x:B")

    write(bucket, "team_ratings", ratings.filter(~is_b))
    passed, shown = evaluate_one(bucket, "ratings_are_finite_and_complete")
    assert not passed
    assert shown == {"rows": 9, "matches": 5, "not_finite": 0, "repeated": 0}

    # As many rows as there should be, one of them twice.
    is_a = (pl.col("match_id") == "aa.1-0-A-B") & (pl.col("team_id") == "x:A")
    write(bucket, "team_ratings", pl.concat([ratings.filter(~is_b), ratings.filter(is_a)]))
    passed, shown = evaluate_one(bucket, "ratings_are_finite_and_complete")
    assert not passed
    assert shown == {"rows": 10, "matches": 5, "not_finite": 0, "repeated": 1}


def test_a_match_without_features_fails(bucket: BucketResource) -> None:
    table = match_features(stg_matches(SEASON))
    write(bucket, "match_features", table.filter(pl.col("match_id") != "bb.1-0-C-D"))

    passed, shown = evaluate_one(bucket, "every_match_has_features")

    assert not passed
    assert shown == {"matches": 4, "missing": 1, "without_ratings": 0}


@pytest.mark.parametrize("column", ["league_home_goals", "league_away_goals", "home_elo", "away_defence"])
def test_features_without_a_rating_fail(bucket: BucketResource, column: str) -> None:
    table = match_features(stg_matches(SEASON))
    played = pl.col("is_played")
    write(bucket, "match_features", table.with_columns(pl.when(played).then(column).alias(column)))

    passed, shown = evaluate_one(bucket, "every_match_has_features")

    assert not passed
    assert shown == {"matches": 5, "missing": 0, "without_ratings": 1}


def test_form_that_holds_the_day_itself_fails_with_what_it_should_be(bucket: BucketResource) -> None:
    """B lost on day 0 and drew on day 7: with the draw, its mean is half a point."""
    table = match_features(stg_matches(SEASON))
    is_drawn = pl.col("match_id") == "aa.1-7-B-A"
    write(
        bucket,
        "match_features",
        table.with_columns(pl.when(is_drawn).then(0.5).otherwise("home_points_5").alias("home_points_5")),
    )

    passed, shown = evaluate_one(bucket, "form_is_as_of_kickoff")

    assert not passed
    assert shown == {
        "rows": 1,
        "examples": "| match_id | team_id | points_5 | expected |\n"
        "| --- | --- | --- | --- |\n"
        "| aa.1-7-B-A | x:B | 0.5 | 0.0 |",
    }


def test_the_form_of_the_latest_matches_is_computed_again(
    bucket: BucketResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = match_features(stg_matches(SEASON))
    first = pl.col("kickoff_date") == START
    write(
        bucket,
        "match_features",
        table.with_columns(pl.when(first).then(1.0).otherwise("away_points_5").alias("away_points_5")),
    )
    assert evaluate_one(bucket, "form_is_as_of_kickoff")[1]["rows"] == 2

    monkeypatch.setattr(as_of, "MATCHES_CHECKED", 3)

    assert evaluate_one(bucket, "form_is_as_of_kickoff") == (True, {"rows": 0, "examples": "None."})


def test_no_more_than_a_few_examples_are_shown(bucket: BucketResource) -> None:
    rows: list[Row] = [("aa.1", 0, f"H{number}", f"A{number}", 1, 0) for number in range(PREVIEW_ROWS)]
    matches = stg_matches(rows)
    write_by_country(bucket.open(), "stg_matches", matches)
    write_by_country(bucket.open(), "team_ratings", leaked(rate_matches(matches), 0))

    _, shown = evaluate_one(bucket, "ratings_know_nothing_of_their_day")

    assert shown["rows"] == 2 * PREVIEW_ROWS
    assert shown["examples"].count("\n| aa.1-0-") == PREVIEW_ROWS
