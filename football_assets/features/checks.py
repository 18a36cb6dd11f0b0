"""Asset checks of the features beyond the dbt tests: the as-of rule, row counts across tables, finite ratings."""

import polars as pl
from dagster import AssetCheckResult, MetadataValue, asset_check

from football_assets.features.as_of import form_that_is_not_as_of_kickoff, ratings_that_know_their_day
from football_assets.features.ratings import LEAGUE_STATE, RATINGS
from football_assets.raw.preview import as_markdown
from football_assets.resources import BucketResource
from football_assets.tables import read_table

PREVIEW_ROWS = 10


@asset_check(
    asset="team_ratings",
    additional_deps=["stg_matches"],
    blocking=True,
    description="Ratings before a match do not change when the results of its day are taken away.",
)
def ratings_know_nothing_of_their_day(bucket: BucketResource) -> AssetCheckResult:
    """The last played day is rated again without its results."""
    store = bucket.open()
    leaks = ratings_that_know_their_day(read_table(store, "stg_matches"), read_table(store, "team_ratings"))
    return _none_of(leaks)


@asset_check(
    asset="team_ratings",
    additional_deps=["stg_matches"],
    blocking=True,
    description="Two rows a match, one a team, with finite ratings.",
)
def ratings_are_finite_and_complete(bucket: BucketResource) -> AssetCheckResult:
    """Counted against `stg_matches`."""
    store = bucket.open()
    ratings = read_table(store, "team_ratings")
    matches = read_table(store, "stg_matches").height
    values = ratings.select(RATINGS + LEAGUE_STATE)
    odd = values.filter(~pl.all_horizontal(pl.all().is_finite().fill_null(False))).height
    repeated = ratings.height - ratings.select("match_id", "team_id").n_unique()
    return AssetCheckResult(
        passed=odd == 0 and repeated == 0 and ratings.height == 2 * matches,
        metadata={"rows": ratings.height, "matches": matches, "not_finite": odd, "repeated": repeated},
    )


@asset_check(
    asset="match_features",
    additional_deps=["stg_matches"],
    blocking=True,
    description="Every match of `stg_matches` has its row, with the league's mean goals and both teams' ratings.",
)
def every_match_has_features(bucket: BucketResource) -> AssetCheckResult:
    """No match is lost on the way."""
    store = bucket.open()
    features = read_table(store, "match_features")
    missing = read_table(store, "stg_matches").join(features, on="match_id", how="anti")
    rated = [
        "league_home_goals",
        "league_away_goals",
        *(f"{side}_{name}" for side in ("home", "away") for name in RATINGS),
    ]
    unrated = features.filter(pl.any_horizontal(pl.col(rated).is_null())).height
    return AssetCheckResult(
        passed=missing.is_empty() and unrated == 0,
        metadata={"matches": features.height, "missing": missing.height, "without_ratings": unrated},
    )


@asset_check(
    asset="match_features",
    additional_deps=["team_matches"],
    blocking=True,
    description="The form of the latest matches is that of earlier days, computed again.",
)
def form_is_as_of_kickoff(bucket: BucketResource) -> AssetCheckResult:
    """Points over the last five matches, by Polars instead of SQL."""
    store = bucket.open()
    return _none_of(
        form_that_is_not_as_of_kickoff(read_table(store, "team_matches"), read_table(store, "match_features"))
    )


def _none_of(rows: pl.DataFrame) -> AssetCheckResult:
    return AssetCheckResult(
        passed=rows.is_empty(),
        metadata={"rows": rows.height, "examples": MetadataValue.md(as_markdown(rows.head(PREVIEW_ROWS)))},
    )


checks = [
    ratings_know_nothing_of_their_day,
    ratings_are_finite_and_complete,
    every_match_has_features,
    form_is_as_of_kickoff,
]
