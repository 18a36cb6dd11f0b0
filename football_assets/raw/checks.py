"""Asset checks of the raw tables. Each puts one question of `quality.py`."""

from datetime import UTC, datetime

from dagster import AssetCheckResult, AssetCheckSeverity, MetadataValue, asset_check

from football_assets.raw.landing import inventory
from football_assets.raw.preview import as_markdown
from football_assets.raw.quality import (
    broken_rules,
    clashing_sources,
    played_after,
    rejected_share,
    stale_seasons,
)
from football_assets.resources import BucketResource
from football_assets.tables import read_table

MAX_REJECTED_SHARE = 0.05
PREVIEW_ROWS = 10


@asset_check(
    asset="raw_matches",
    blocking=True,
    description="Every row keeps to the schema Match; `match_id` is unique.",
)
def rows_keep_to_the_schema(bucket: BucketResource) -> AssetCheckResult:
    """Columns, types, ranges, whole scores, the key."""
    matches = read_table(bucket.open(), "raw_matches")
    broken = broken_rules(matches)
    return AssetCheckResult(
        passed=not broken, metadata={"rows": matches.height, "rows_breaking_a_rule": broken}
    )


@asset_check(asset="raw_matches", blocking=True, description="No match after today has a score.")
def no_played_match_lies_in_the_future(bucket: BucketResource) -> AssetCheckResult:
    """A score of tomorrow would leak into every feature of today."""
    future = played_after(read_table(bucket.open(), "raw_matches"), datetime.now(UTC).date())
    return AssetCheckResult(
        passed=future.is_empty(),
        metadata={
            "matches": future.height,
            "examples": MetadataValue.md(as_markdown(future.head(PREVIEW_ROWS))),
        },
    )


@asset_check(asset="raw_matches", description="Each season is as new as its landing files.")
def seasons_are_as_new_as_their_files(bucket: BucketResource) -> AssetCheckResult:
    """Freshness: seasons whose files have changed since they were read."""
    store = bucket.open()
    tables = [read_table(store, name) for name in ("raw_matches", "raw_matches_rejected")]
    stale = stale_seasons(store, inventory(store), tables)
    return AssetCheckResult(
        passed=not stale,
        severity=AssetCheckSeverity.WARN,
        description=f"Materialise raw_matches for {', '.join(stale)}." if stale else None,
        metadata={"stale_seasons": len(stale)},
    )


@asset_check(asset="raw_matches", description="Two sources of one league spell its teams alike.")
def sources_spell_teams_alike(bucket: BucketResource) -> AssetCheckResult:
    """Otherwise each match counts twice, under two names."""
    clashes = clashing_sources(read_table(bucket.open(), "raw_matches"))
    return AssetCheckResult(
        passed=clashes.is_empty(),
        severity=AssetCheckSeverity.WARN,
        description=None if clashes.is_empty() else "Land each league of a season from one source only.",
        metadata={
            "clashes": clashes.height,
            "examples": MetadataValue.md(as_markdown(clashes.head(PREVIEW_ROWS))),
        },
    )


@asset_check(
    asset="raw_matches_rejected",
    description=f"No season has more than {MAX_REJECTED_SHARE:.0%} of its records rejected.",
)
def few_records_are_rejected(bucket: BucketResource) -> AssetCheckResult:
    """A greater share means a broken download or a change of format."""
    store = bucket.open()
    shares = rejected_share(read_table(store, "raw_matches"), read_table(store, "raw_matches_rejected"))
    excessive = shares.filter(shares["share"] > MAX_REJECTED_SHARE)
    return AssetCheckResult(
        passed=excessive.is_empty(),
        severity=AssetCheckSeverity.WARN,
        metadata={
            "seasons_above": excessive.height,
            "by_season": MetadataValue.md(as_markdown(shares.head(PREVIEW_ROWS))),
        },
    )


checks = [
    rows_keep_to_the_schema,
    no_played_match_lies_in_the_future,
    seasons_are_as_new_as_their_files,
    sources_spell_teams_alike,
    few_records_are_rejected,
]
