"""Features of matches: dbt models before and after the team ratings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetExecutionContext,
    MaterializeResult,
    MetadataValue,
    Output,
    asset,
    multi_asset,
)

from football_assets.features.dbt_project import load_manifest
from football_assets.features.translator import GROUP, OWNERS, specs_of
from football_assets.orchestration.increments import by_country
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import CountryTable, as_markdown, read_table, read_table_of

PREVIEW_ROWS = 10
PREVIEW_COLUMNS = {
    "stg_matches": ["kickoff_date", "league_id", "home_team", "home_goals", "away_goals", "away_team"],
    "team_matches": ["kickoff_date", "league_id", "team_id", "opponent_id", "is_home", "points", "rest_days"],
    "team_form": ["kickoff_date", "team_id", "matches_known", "points_5", "goals_for_5", "season_position"],
    "match_features": [
        "kickoff_date",
        "home_team",
        "away_team",
        "home_elo",
        "away_elo",
        "home_points_5",
        "away_points_5",
    ],
}
TEAMS_SHOWN = 20
UNIQUE_ID = "dagster_dbt/unique_id"  # where dagster-dbt keeps the dbt test of a check

POOL = "features"  # a build removes the countries that it knows nothing of: another must not write them meanwhile

_manifest = load_manifest()
_form_specs, _form_checks = specs_of(_manifest, ("stg_matches", "team_matches", "team_form"))
_features_specs, _features_checks = specs_of(_manifest, ("match_features",))


@multi_asset(name="build_team_form", specs=_form_specs, check_specs=_form_checks, can_subset=True, pool=POOL)
def build_team_form(
    context: AssetExecutionContext, bucket: BucketResource
) -> Iterator[MaterializeResult | AssetCheckResult]:
    """Matches, their two sides, and the form that each team carries out of each match."""
    yield from _build(context, bucket)


@multi_asset(
    name="build_match_features",
    specs=_features_specs,
    check_specs=_features_checks,
    can_subset=True,
    pool=POOL,
)
def build_match_features(
    context: AssetExecutionContext, bucket: BucketResource
) -> Iterator[MaterializeResult | AssetCheckResult]:
    """Both sides of a match as of kick-off."""
    yield from _build(context, bucket)


@asset(
    io_manager_key="tables",
    group_name=GROUP,
    owners=OWNERS,
    kinds={"polars"},
    tags={"grain": "team_match"},
    deps=["stg_matches"],
    pool=POOL,
)
def team_ratings(context: AssetExecutionContext, bucket: BucketResource) -> Output[CountryTable]:
    """One row a team and match: Elo, attack and defence before the day of the match and after it.

    They sum up all results so far in three numbers a team, and carry a team's strength across seasons, promotion and
    relegation. A team without a match has its league's entry rating, which is in the table too.
    """
    from football_assets.features.rating_build import TABLE, build_ratings
    from football_assets.features.ratings import RATINGS

    store = bucket.open()
    made = build_ratings(store)
    context.log.info("Rated again: %s.", ", ".join(made.made) or "nothing, some countries are gone")
    kept = [name for name in made.countries if name not in made.made]
    columns = ["league_id", "team_id", "kickoff_date", "is_played", *(f"{name}_after" for name in RATINGS)]
    frames = [made.frame.select(columns), *([read_table_of(store, TABLE, kept, columns)] if kept else [])]
    return Output(made, metadata={**_ratings_metadata(pl.concat(frames)), "made_again": ", ".join(made.made)})


def _build(
    context: AssetExecutionContext, bucket: BucketResource
) -> Iterator[MaterializeResult | AssetCheckResult]:
    """Build the selected models, or where only checks are selected, test the tables that are there."""
    from football_assets.features.dbt_build import ModelsNotBuilt, build_features, check_features

    store = bucket.open()
    scratch = Path(bucket.scratch)
    checks = [
        spec for spec in context.assets_def.check_specs if spec.key in context.selected_asset_check_keys
    ]
    models = sorted(key.path[-1] for key in context.selected_asset_keys)
    failure = None
    lines: list[str] = []
    try:
        if models:
            results = build_features(store, models, scratch, lines.append)
        else:
            tested = sorted({spec.asset_key.path[-1] for spec in checks})
            results = check_features(store, tested, scratch, lines.append)
    except ModelsNotBuilt as error:
        results, failure = error.results, error
    finally:
        context.log.info("\n".join(lines))  # one event: a line each would cost more than most of dbt's tests
    for result in results:
        if result.is_model and result.passed:
            yield MaterializeResult(
                asset_key=result.name,
                metadata={
                    "seconds": round(result.seconds, 3),
                    **_table_metadata(store, result.name),
                },
            )
    by_id = {result.unique_id: result for result in results}
    for spec in checks:
        test = by_id.get(spec.metadata[UNIQUE_ID])
        if test is not None and test.status != "skipped":
            yield AssetCheckResult(
                asset_key=spec.asset_key,
                check_name=spec.name,
                passed=test.passed,
                severity=AssetCheckSeverity.WARN if test.status == "warn" else AssetCheckSeverity.ERROR,
                metadata={
                    "rows_breaking_the_rule": test.failures,
                    "seconds": round(test.seconds, 3),
                    "message": test.message,
                },
            )
    if failure is not None:
        raise failure


def _table_metadata(store: Bucket, name: str) -> dict[str, Any]:
    # `team_form` holds played matches only.
    played = [] if name == "team_form" else ["is_played"]
    shown = PREVIEW_COLUMNS[name]
    table = read_table(store, name, columns=["league_id", "season", "kickoff_date", *played])
    results = table.filter("is_played") if played else table
    newest = pl.col("kickoff_date") >= results["kickoff_date"].top_k(PREVIEW_ROWS).min()
    of_latest = list(by_country(results.filter(newest).select("league_id")))
    latest = read_table_of(store, name, of_latest, [*dict.fromkeys([*shown, *played])]).filter(
        newest, *played
    )
    preview = latest.sort("kickoff_date", maintain_order=True).tail(PREVIEW_ROWS).select(shown)
    return {
        "dagster/row_count": table.height,
        "leagues": table["league_id"].n_unique(),
        "seasons": table["season"].n_unique(),
        **_date_range(table),
        "latest_played": MetadataValue.md(as_markdown(_rounded(preview))),
    }


def _ratings_metadata(ratings: pl.DataFrame) -> dict[str, Any]:
    now = (
        ratings.filter("is_played")
        .group_by("team_id", maintain_order=True)
        .agg(
            pl.last("league_id", "kickoff_date"),
            pl.len().alias("matches"),
            elo=pl.last("elo_after"),
            attack=pl.last("attack_after"),
            defence=pl.last("defence_after"),
        )
        .sort("elo", "team_id", descending=[True, False])
    )
    return {
        "dagster/row_count": ratings.height,
        "teams": ratings["team_id"].n_unique(),
        **_date_range(ratings),
        "strongest_teams": MetadataValue.md(as_markdown(_rounded(now.head(TEAMS_SHOWN)))),
    }


def _date_range(table: pl.DataFrame) -> dict[str, Any]:
    if table.is_empty():
        return {}
    first, last = table.select(first=pl.col("kickoff_date").min(), last=pl.col("kickoff_date").max()).row(0)
    return {"first_date": first.isoformat(), "last_date": last.isoformat()}


def _rounded(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.col(pl.Float64).round(2))


assets = [build_team_form, team_ratings, build_match_features]
