"""Asset checks of the features beyond the dbt tests: the as-of rule, row counts across tables, finite ratings.

The checks of a table are one step, which reads their inputs once.
"""

from collections.abc import Callable, Iterator, Sequence

import polars as pl
from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetCheckSpec,
    MetadataValue,
    multi_asset_check,
)

from football_assets.domain.columns import countries_of
from football_assets.features.rating_columns import (
    MARKET_LEAGUE_STATE,
    MARKET_TEAM_STATE,
    SHOT_LEAGUE_STATE,
    SHOT_TEAM_STATE,
)
from football_assets.orchestration.metadata import PREVIEW_ROWS
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import as_markdown, latest_partition, read_table, read_table_of

_KNOW_NOTHING = (
    "Ratings before a match do not depend on {facts} of its day. The last played day of the country that was rated "
    "last is rated again without them."
)


@multi_asset_check(
    name="check_team_ratings",
    specs=[
        AssetCheckSpec(
            "ratings_know_nothing_of_their_day",
            asset="team_ratings",
            additional_deps=["stg_matches"],
            blocking=True,
            description=_KNOW_NOTHING.format(facts="results"),
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
    from football_assets.features.ratings import LEAGUE_STATE, RATINGS, rate_matches

    store = bucket.open()
    for key in sorted(context.selected_asset_check_keys):
        match key.name:
            case "ratings_know_nothing_of_their_day":
                yield _as_of_kickoff(store, key, rate_matches, RATINGS)
            case "ratings_are_finite_and_complete":
                yield _complete(store, key, finite=[*RATINGS, *LEAGUE_STATE])


@multi_asset_check(
    name="check_team_market_ratings",
    specs=[
        AssetCheckSpec(
            "market_ratings_know_nothing_of_their_day",
            asset="team_market_ratings",
            additional_deps=["stg_matches"],
            blocking=True,
            description=_KNOW_NOTHING.format(facts="results and odds"),
        ),
        AssetCheckSpec(
            "market_ratings_are_complete",
            asset="team_market_ratings",
            additional_deps=["stg_matches"],
            blocking=True,
            description="Two rows per match of `stg_matches`, one per team. What leagues carry is finite, what teams "
            "carry is finite or null.",
        ),
    ],
    can_subset=True,
)
def check_team_market_ratings(
    context: AssetCheckExecutionContext, bucket: BucketResource
) -> Iterator[AssetCheckResult]:
    """Check that the ratings from odds are as of kick-off and complete."""
    from football_assets.features.market_ratings import rate_markets

    store, team, league = bucket.open(), MARKET_TEAM_STATE, MARKET_LEAGUE_STATE
    for key in sorted(context.selected_asset_check_keys):
        match key.name:
            case "market_ratings_know_nothing_of_their_day":
                yield _as_of_kickoff(store, key, rate_markets, [*team, *league])
            case "market_ratings_are_complete":
                yield _complete(store, key, finite=league, finite_or_null=team)


@multi_asset_check(
    name="check_team_shot_ratings",
    specs=[
        AssetCheckSpec(
            "shot_ratings_know_nothing_of_their_day",
            asset="team_shot_ratings",
            additional_deps=["stg_matches"],
            blocking=True,
            description=_KNOW_NOTHING.format(facts="results and statistics"),
        ),
        AssetCheckSpec(
            "shot_ratings_are_complete",
            asset="team_shot_ratings",
            additional_deps=["stg_matches"],
            blocking=True,
            description="Two rows per match of `stg_matches`, one per team. What leagues carry is finite, what teams "
            "carry is finite or null.",
        ),
    ],
    can_subset=True,
)
def check_team_shot_ratings(
    context: AssetCheckExecutionContext, bucket: BucketResource
) -> Iterator[AssetCheckResult]:
    """Check that the ratings from shots are as of kick-off and complete."""
    from football_assets.features.shot_ratings import rate_shots

    store, team, league = bucket.open(), SHOT_TEAM_STATE, SHOT_LEAGUE_STATE
    for key in sorted(context.selected_asset_check_keys):
        match key.name:
            case "shot_ratings_know_nothing_of_their_day":
                yield _as_of_kickoff(store, key, rate_shots, [*team, *league])
            case "shot_ratings_are_complete":
                yield _complete(store, key, finite=league, finite_or_null=team)


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


def _as_of_kickoff(
    store: Bucket,
    key: AssetCheckKey,
    rate: Callable[[pl.DataFrame], pl.DataFrame],
    columns: Sequence[str],
) -> AssetCheckResult:
    """Rate the last played day of the latest partition again without its results."""
    from football_assets.features.as_of import ratings_that_know_their_day

    asset = key.asset_key.path[-1]
    latest = [latest_partition(store, asset)]
    matches, ratings = (read_table_of(store, name, latest) for name in ("stg_matches", asset))
    return _none_of(ratings_that_know_their_day(matches, ratings, rate, columns), asset, key.name)


def _complete(
    store: Bucket, key: AssetCheckKey, finite: Sequence[str], finite_or_null: Sequence[str] = ()
) -> AssetCheckResult:
    """Check that each match has one row per team and that the columns hold numbers."""
    matches = read_table(store, "stg_matches", columns=["tier"])
    columns = ["match_id", "team_id", *finite, *finite_or_null]
    ratings = read_table(store, key.asset_key.path[-1], columns=columns)
    is_number = pl.all_horizontal(
        *(pl.col(name).is_finite().fill_null(value=False) for name in finite),
        *(pl.col(name).is_finite().fill_null(value=True) for name in finite_or_null),
    )
    odd, sides = ratings.select(
        (~is_number).sum().alias("odd"), pl.struct("match_id", "team_id").hash().n_unique().alias("sides")
    ).row(0)
    repeated = ratings.height - sides
    return AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=odd == 0 and repeated == 0 and ratings.height == 2 * matches.height,
        metadata={
            "rows": ratings.height,
            "matches": matches.height,
            "not_finite": odd,
            "repeated": repeated,
        },
    )


def _none_of(rows: pl.DataFrame, asset: str, check: str) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=asset,
        check_name=check,
        passed=rows.is_empty(),
        metadata={"rows": rows.height, "examples": MetadataValue.md(as_markdown(rows.head(PREVIEW_ROWS)))},
    )


checks = [check_team_ratings, check_team_market_ratings, check_team_shot_ratings, check_match_features]
