"""Asset checks of the features beyond the dbt tests: the as-of rule, row counts across tables, finite ratings.

The checks of a table are one step, which reads their inputs once.
"""

from collections.abc import Iterator

import polars as pl
from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetCheckSpec,
    MetadataValue,
    multi_asset_check,
)

from football_assets.domain.columns import countries_of
from football_assets.orchestration.metadata import PREVIEW_ROWS
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.tables import as_markdown, latest_partition, read_table, read_table_of


@multi_asset_check(
    name="check_team_ratings",
    specs=[
        AssetCheckSpec(
            "ratings_know_nothing_of_their_day",
            asset="team_ratings",
            additional_deps=["stg_matches"],
            blocking=True,
            description="Ratings before a match do not depend on results of its day. The last played day of the "
            "country that was rated last is rated again without its results.",
        ),
        AssetCheckSpec(
            "ratings_are_finite_and_complete",
            asset="team_ratings",
            additional_deps=["stg_matches"],
            blocking=True,
            description="Two rows per match of `stg_matches`, one per team, with finite ratings.",
        ),
    ],
    can_subset=True,
)
def check_team_ratings(
    context: AssetCheckExecutionContext, bucket: BucketResource
) -> Iterator[AssetCheckResult]:
    """Check that the ratings are as of kick-off and complete."""
    from football_assets.features.as_of import ratings_that_know_their_day
    from football_assets.features.ratings import LEAGUE_STATE, RATINGS

    store = bucket.open()
    for key in sorted(context.selected_asset_check_keys):
        match key.name:
            case "ratings_know_nothing_of_their_day":
                latest = [latest_partition(store, "team_ratings")]
                matches, ratings = (
                    read_table_of(store, name, latest) for name in ("stg_matches", "team_ratings")
                )
                yield _none_of(ratings_that_know_their_day(matches, ratings), "team_ratings", key.name)
            case "ratings_are_finite_and_complete":
                values = [*RATINGS, *LEAGUE_STATE]
                matches = read_table(store, "stg_matches", columns=["tier"])
                ratings = read_table(store, "team_ratings", columns=["match_id", "team_id", *values])
                odd, sides = ratings.select(
                    (~pl.all_horizontal(pl.col(values).is_finite().fill_null(False))).sum().alias("odd"),
                    pl.struct("match_id", "team_id").hash().n_unique().alias("sides"),
                ).row(0)
                repeated = ratings.height - sides
                yield AssetCheckResult(
                    asset_key="team_ratings",
                    check_name=key.name,
                    passed=odd == 0 and repeated == 0 and ratings.height == 2 * matches.height,
                    metadata={
                        "rows": ratings.height,
                        "matches": matches.height,
                        "not_finite": odd,
                        "repeated": repeated,
                    },
                )


@multi_asset_check(
    name="check_match_features",
    specs=[
        AssetCheckSpec(
            "every_match_has_features",
            asset="match_features",
            additional_deps=["stg_matches"],
            blocking=True,
            description="Every match of `stg_matches` has its row, with the league's mean goals and both teams' "
            "ratings.",
        ),
        AssetCheckSpec(
            "form_is_as_of_kickoff",
            asset="match_features",
            additional_deps=["team_matches"],
            blocking=True,
            description="For the latest matches, the points over five matches equal those that Polars computes from "
            "earlier days.",
        ),
    ],
    can_subset=True,
)
def check_match_features(
    context: AssetCheckExecutionContext, bucket: BucketResource
) -> Iterator[AssetCheckResult]:
    """Check that no match is missing, and that the form is as of kick-off."""
    from football_assets.features.as_of import (
        FORM_READ,
        MATCHES_CHECKED,
        SIDES_READ,
        form_that_is_not_as_of_kickoff,
    )
    from football_assets.features.ratings import RATINGS

    store = bucket.open()
    for key in sorted(context.selected_asset_check_keys):
        match key.name:
            case "every_match_has_features":
                rated = [
                    "league_home_goals",
                    "league_away_goals",
                    *(f"{side}_{name}" for side in ("home", "away") for name in RATINGS),
                ]
                matches = read_table(store, "stg_matches", columns=["match_id"])
                features = read_table(store, "match_features", columns=["match_id", *rated])
                missing = matches.join(features, on="match_id", how="anti").height
                unrated = features.filter(pl.any_horizontal(pl.col(rated).is_null())).height
                yield AssetCheckResult(
                    asset_key="match_features",
                    check_name=key.name,
                    passed=missing == 0 and unrated == 0,
                    metadata={
                        "matches": features.height,
                        "missing": missing,
                        "without_ratings": unrated,
                    },
                )
            case "form_is_as_of_kickoff":
                features = read_table(store, "match_features", columns=FORM_READ)
                latest = features.sort("kickoff_date", maintain_order=True).tail(MATCHES_CHECKED)
                team_matches = read_table_of(store, "team_matches", countries_of(latest), SIDES_READ)
                wrong = form_that_is_not_as_of_kickoff(team_matches, latest)
                yield _none_of(wrong, "match_features", key.name)


def _none_of(rows: pl.DataFrame, asset: str, check: str) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=asset,
        check_name=check,
        passed=rows.is_empty(),
        metadata={"rows": rows.height, "examples": MetadataValue.md(as_markdown(rows.head(PREVIEW_ROWS)))},
    )


checks = [check_team_ratings, check_match_features]
