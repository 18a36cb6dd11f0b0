"""Features of matches: dbt models and three assets of team ratings, one partition per country."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetKey,
    BackfillPolicy,
    MaterializeResult,
    MetadataValue,
    Output,
    asset,
)
from dagster_dbt import DagsterDbtTranslatorSettings, DbtProject, dbt_assets

from football_assets.domain.columns import split_by_country
from football_assets.features.dbt_project import load_manifest, project_folder
from football_assets.features.translator import GROUP, FeatureTranslator
from football_assets.orchestration.code_versions import (
    MARKET_RATINGS_CODE,
    SHOT_RATINGS_CODE,
    TEAM_RATINGS_CODE,
)
from football_assets.orchestration.metadata import OWNERS, PREVIEW_ROWS
from football_assets.orchestration.partitions import countries, countries_to_build, mark_as_not_built
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import (
    as_markdown,
    partition_of,
    read_table_of,
    table_object,
    table_objects,
)

if TYPE_CHECKING:
    from football_assets.features.dbt_build import NodeResult

_PREVIEW_COLUMNS = {
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
UNIQUE_ID = "dagster_dbt/unique_id"  # metadata in which dagster-dbt names the dbt test of a check

POOL = "features"  # one build at a time: DuckDB and dbt use both cores of a small machine

_manifest = load_manifest()
_country_dbt_assets = partial(
    dbt_assets,
    manifest=_manifest,
    project=DbtProject(project_folder()),  # code references name its files
    partitions_def=countries,
    backfill_policy=BackfillPolicy.single_run(),
    dagster_dbt_translator=FeatureTranslator(DagsterDbtTranslatorSettings(enable_code_references=True)),
    pool=POOL,
)


@_country_dbt_assets(select="stg_matches team_matches team_form", name="build_team_form")
def build_team_form(
    context: AssetExecutionContext, bucket: BucketResource
) -> Iterator[MaterializeResult | AssetCheckResult]:
    """Build matches, their two sides, and the form of each team after each match."""
    yield from _build(context, bucket)


@_country_dbt_assets(select="match_features", name="build_match_features")
def build_match_features(
    context: AssetExecutionContext, bucket: BucketResource
) -> Iterator[MaterializeResult | AssetCheckResult]:
    """Build one row per match with the features of both teams as of kick-off."""
    yield from _build(context, bucket)


_country_ratings = partial(
    asset,
    io_manager_key="tables",
    group_name=GROUP,
    owners=OWNERS,
    kinds={"polars"},
    tags={"grain": "team_match"},
    deps=["stg_matches"],
    partitions_def=countries,
    backfill_policy=BackfillPolicy.single_run(),
    pool=POOL,
)


@_country_ratings(code_version=TEAM_RATINGS_CODE)
def team_ratings(context: AssetExecutionContext, bucket: BucketResource) -> Output[dict[str, pl.DataFrame]]:
    """One row per team and match: Elo, attack and defence before the day of the match and after it.

    The three ratings of a team depend on all earlier results and persist across seasons, promotion and relegation. A
    team without a match has its league's entry rating, which is also in the table.
    """
    from football_assets.features.ratings import rate_matches

    columns = {"elo": "elo_after", "attack": "attack_after", "defence": "defence_after"}
    return _rate(context, bucket, rate_matches, columns)


@_country_ratings(code_version=MARKET_RATINGS_CODE)
def team_market_ratings(
    context: AssetExecutionContext, bucket: BucketResource
) -> Output[dict[str, pl.DataFrame]]:
    """One row per team and match: ratings from the odds of earlier matches, before the day of the match and after it.

    The ratings are Kalman filters of several speeds over the goals that odds imply, attack and defence, an Elo rating,
    and the mean difference between results and what the odds implied. One filter uses results only. Once the match is
    played, the row also has the goals that its own odds imply: they are history of later matches, and never an input
    of the match's own forecast.
    """
    from football_assets.features.market_ratings import rate_markets

    columns = {
        "strength": "odds_strength_after",
        "total": "odds_total_after",
        "elo": "odds_elo_after",
    }
    return _rate(context, bucket, rate_markets, columns, known="odds_known")


@_country_ratings(code_version=SHOT_RATINGS_CODE)
def team_shot_ratings(
    context: AssetExecutionContext, bucket: BucketResource
) -> Output[dict[str, pl.DataFrame]]:
    """One row per team and match: ratings from the shots of earlier matches, before the day of the match and after it.

    Filters over shots on target, shots and corners, and weighted means of margins: shots, chances, red cards, half-time
    goals, finishing. The row also holds the statistics of the match itself, once it is played.
    """
    from football_assets.features.shot_ratings import rate_shots

    columns = {"strength": "shots_on_target_strength_after", "margin": "shots_on_target_margin_15_after"}
    return _rate(context, bucket, rate_shots, columns, known="shots_known")


def _rate(
    context: AssetExecutionContext,
    bucket: BucketResource,
    rate: Callable[[pl.DataFrame], pl.DataFrame],
    columns: Mapping[str, str],
    known: str | None = None,
) -> Output[dict[str, pl.DataFrame]]:
    """Rate the countries of a run; `columns` of the strongest teams are shown, the first decides their order.

    With the column `known`, the metadata hold the share of played matches where it is 1.
    """
    store = bucket.open()
    (name,) = context.assets_def.keys_by_output_name.values()
    keys = _countries(context, store, ["stg_matches"], [name.path[-1]])
    rated = rate(read_table_of(store, "stg_matches", keys))
    context.log.info("Rated %d countries: %s.", len(keys), ", ".join(keys))
    metadata = dict(_ratings_metadata(rated, keys, columns))
    if known is not None:
        share = rated.select(pl.col(known).mean()).item()
        metadata[f"share_of_matches_with_{known.removesuffix('_known')}"] = round(share or 0.0, 4)
    return Output(split_by_country(rated, keys), metadata=metadata)


def _build(
    context: AssetExecutionContext, bucket: BucketResource
) -> Iterator[MaterializeResult | AssetCheckResult]:
    """Build the selected models of the run's countries, or if only checks are selected, test their tables."""
    from football_assets.features.dbt_build import ModelsNotBuilt, build_features, check_features, inputs_of

    store, scratch = bucket.open(), Path(bucket.scratch)
    checks = {
        spec.metadata[UNIQUE_ID]: spec
        for spec in context.assets_def.check_specs
        if spec.key in context.selected_asset_check_keys
    }
    models = sorted(key.path[-1] for key in context.selected_asset_keys)
    failure = None
    lines: list[str] = []
    try:
        if models:
            keys = _countries(context, store, inputs_of(_manifest, models), models)
            built = build_features(store, models, keys, scratch, lines.append)
            results = built.results
            for model, parts in built.tables.items():
                yield MaterializeResult(
                    asset_key=model, metadata=_table_metadata(model, pl.concat(parts.values()), keys)
                )
        else:
            every_country = [partition_of(item) for item in table_objects(store, "stg_matches")]
            results = check_features(store, sorted(checks), every_country, scratch, lines.append)
    except ModelsNotBuilt as error:
        results, failure = error.results, error
    finally:
        context.log.info("\n".join(lines))  # one event: one per line would cost more than most of dbt's tests
    for result in results:
        spec = checks.get(result.unique_id)
        if spec is not None and result.status != "skipped":
            yield _check_result(spec.asset_key, spec.name, result)
    if failure is not None:
        raise failure


def _countries(
    context: AssetExecutionContext, store: Bucket, inputs: Sequence[str], outputs: Sequence[str]
) -> list[str]:
    """Return the countries of the run's range that a step builds: those that the run names, and those with inputs.

    Dagster counts every country of the range as built. A country between those that the run names may be outdated, for
    example after a failed run, so it is rebuilt if its inputs are in the bucket.
    """
    named = set(countries_to_build(context))
    keys = [
        key
        for key in context.partition_keys
        if key in named or all(store.stat(table_object(name, key)) is not None for name in inputs)
    ]
    mark_as_not_built(context, outputs, set(context.partition_keys) - set(keys))
    return keys


def _check_result(asset_key: AssetKey, name: str, test: "NodeResult") -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=asset_key,
        check_name=name,
        passed=test.passed,
        severity=AssetCheckSeverity.WARN if test.status == "warn" else AssetCheckSeverity.ERROR,
        metadata={
            "rows_breaking_the_rule": test.failures,
            "seconds": round(test.seconds, 3),
            "message": test.message,
        },
    )


def _table_metadata(name: str, table: pl.DataFrame, keys: Sequence[str]) -> Mapping[str, Any]:
    """Metadata of the rows that a run has built."""
    shown = _PREVIEW_COLUMNS[name]
    # `team_form` holds played matches only.
    results = table if name == "team_form" else table.filter("is_played")
    latest = results.sort("kickoff_date", maintain_order=True).tail(PREVIEW_ROWS).select(shown)
    return {
        "dagster/row_count": table.height,
        "countries": ", ".join(keys),
        "leagues": table["league_id"].n_unique(),
        "seasons": table["season"].n_unique(),
        **_date_range(table),
        "latest_played": MetadataValue.md(as_markdown(_rounded(latest))),
    }


def _ratings_metadata(
    ratings: pl.DataFrame, keys: Sequence[str], columns: Mapping[str, str]
) -> Mapping[str, Any]:
    now = (
        ratings.filter("is_played")
        .group_by("team_id", maintain_order=True)
        .agg(
            pl.last("league_id", "kickoff_date"),
            pl.len().alias("matches"),
            *(pl.last(column).alias(shown) for shown, column in columns.items()),
        )
        .sort(next(iter(columns)), "team_id", descending=[True, False], nulls_last=True)
    )
    return {
        "dagster/row_count": ratings.height,
        "countries": ", ".join(keys),
        "teams": ratings["team_id"].n_unique(),
        **_date_range(ratings),
        "strongest_teams": MetadataValue.md(as_markdown(_rounded(now.head(TEAMS_SHOWN)))),
    }


def _date_range(table: pl.DataFrame) -> Mapping[str, Any]:
    if table.is_empty():
        return {}
    first, last = table.select(first=pl.col("kickoff_date").min(), last=pl.col("kickoff_date").max()).row(0)
    return {"first_date": first.isoformat(), "last_date": last.isoformat()}


def _rounded(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.col(pl.Float64).round(2))


assets = [build_team_form, team_ratings, team_market_ratings, team_shot_ratings, build_match_features]
