"""Asset checks of the raw tables. Each calls one function of `quality.py`.

All checks are one step, which reads the tables once: a Dagster step takes longer than most checks.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl
from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    MetadataValue,
    multi_asset_check,
)

from football_assets.orchestration.metadata import PREVIEW_ROWS, reasons_metadata
from football_assets.orchestration.resources import BucketResource
from football_assets.raw.landing import inventory
from football_assets.raw.matching.club_report import clubs_told_apart
from football_assets.raw.quality import (
    broken_rules,
    common_reasons,
    played_after,
    rejected_share,
    stale_countries,
    unreadable_files,
    wholly_rejected,
)
from football_assets.raw.rules import MAX_REJECTED_SHARE
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import as_markdown, read_table

SEASONS_SHOWN = 3


@multi_asset_check(
    name="check_raw_tables",
    specs=[
        AssetCheckSpec(
            "rows_keep_to_the_schema",
            asset="raw_matches",
            blocking=True,
            description="Every row conforms to the schema Match; `match_id` is unique.",
        ),
        AssetCheckSpec(
            "no_played_match_lies_in_the_future",
            asset="raw_matches",
            blocking=True,
            description="No match after today has a score, which would leak into every feature of today.",
        ),
        AssetCheckSpec(
            "countries_are_as_new_as_their_files",
            asset="raw_matches",
            description="Each country was read from its current landing files.",
        ),
        AssetCheckSpec(
            "sources_spell_teams_alike",
            asset="raw_matches",
            description="No two clubs of a league, each known to one source alone, have the same matches. "
            "Otherwise they are one club under two names.",
        ),
        AssetCheckSpec(
            "every_file_can_be_read",
            asset="raw_matches_rejected",
            description="Every landing object has results in a known format, is in a season's folder, and is not a "
            "copy of another league.",
        ),
        AssetCheckSpec(
            "few_records_are_rejected",
            asset="raw_matches_rejected",
            description=f"No season has more than {MAX_REJECTED_SHARE:.0%} of its records rejected. A greater share "
            "means a broken download or a change of format.",
        ),
    ],
    can_subset=True,
)
def check_raw_tables(
    context: AssetCheckExecutionContext, bucket: BucketResource
) -> Iterator[AssetCheckResult]:
    """Evaluate the selected checks on both tables."""
    store = bucket.open()
    matches, rejected = (read_table(store, name) for name in ("raw_matches", "raw_matches_rejected"))
    for key in sorted(context.selected_asset_check_keys):
        match key.name:
            case "rows_keep_to_the_schema":
                yield _rows_keep_to_the_schema(matches)
            case "no_played_match_lies_in_the_future":
                yield _no_played_match_lies_in_the_future(matches)
            case "countries_are_as_new_as_their_files":
                yield _countries_are_as_new_as_their_files(store, matches, rejected)
            case "sources_spell_teams_alike":
                yield _warning(
                    "raw_matches",
                    key.name,
                    clubs_told_apart(matches, rejected),
                    "Give each pair one name in dbt_features/seeds/clubs.csv, and see `football clubs`.",
                )
            case "every_file_can_be_read":
                yield _every_file_can_be_read(store, rejected)
            case "few_records_are_rejected":
                yield _few_records_are_rejected(matches, rejected)


def _rows_keep_to_the_schema(matches: pl.DataFrame) -> AssetCheckResult:
    broken = broken_rules(matches)
    return AssetCheckResult(
        asset_key="raw_matches",
        check_name="rows_keep_to_the_schema",
        passed=not broken,
        metadata={"rows": matches.height, "rows_breaking_a_rule": broken},
    )


def _no_played_match_lies_in_the_future(matches: pl.DataFrame) -> AssetCheckResult:
    future = played_after(matches, datetime.now(UTC).date())
    return AssetCheckResult(
        asset_key="raw_matches",
        check_name="no_played_match_lies_in_the_future",
        passed=future.is_empty(),
        metadata={
            "matches": future.height,
            "examples": MetadataValue.md(as_markdown(future.head(PREVIEW_ROWS))),
        },
    )


def _countries_are_as_new_as_their_files(
    store: Bucket, matches: pl.DataFrame, rejected: pl.DataFrame
) -> AssetCheckResult:
    stale = stale_countries(store, inventory(store), [matches, rejected])
    return AssetCheckResult(
        asset_key="raw_matches",
        check_name="countries_are_as_new_as_their_files",
        passed=not stale,
        severity=AssetCheckSeverity.WARN,
        description=f"Materialize raw_matches for {', '.join(stale)}." if stale else None,
        metadata={"stale_countries": len(stale)},
    )


def _warning(
    asset: str, check: str, found: pl.DataFrame, advice: str, reasons: pl.DataFrame | None = None
) -> AssetCheckResult:
    """Return a check that warns of the rows found, with their `common_reasons`."""
    return AssetCheckResult(
        asset_key=asset,
        check_name=check,
        passed=found.is_empty(),
        severity=AssetCheckSeverity.WARN,
        description=None if found.is_empty() else advice,
        metadata={
            "found": found.height,
            "examples": MetadataValue.md(as_markdown(found.head(PREVIEW_ROWS))),
            **(_reasons(reasons) if reasons is not None else {}),
        },
    )


def _reasons(reasons: pl.DataFrame) -> dict[str, MetadataValue]:
    """Metadata with `quality.common_reasons`, each with the object of one of its records."""
    shown = reasons.head(PREVIEW_ROWS).select(pl.format("{}: {}", "object", "example"), "records")
    return reasons_metadata(shown.rows())


def _every_file_can_be_read(store: Bucket, rejected: pl.DataFrame) -> AssetCheckResult:
    # Objects outside of a season's folder are in no partition of the table.
    lost = [stray for stray in inventory(store).strays if stray.season is None]
    placeless = pl.DataFrame(
        [(stray.info.name, stray.reason) for stray in lost],
        schema={"source_object": pl.String, "reason": pl.String},
        orient="row",
    )
    found = pl.concat([unreadable_files(rejected), placeless], how="diagonal")
    return _warning(
        "raw_matches_rejected",
        "every_file_can_be_read",
        found,
        f"Files that cannot be read: {found.height}. Land them again, or remove them.",
        reasons=common_reasons(found),
    )


def _few_records_are_rejected(matches: pl.DataFrame, rejected: pl.DataFrame) -> AssetCheckResult:
    shares = rejected_share(matches, rejected)
    excessive = shares.filter(shares["share"] > MAX_REJECTED_SHARE)
    of_seasons = wholly_rejected(rejected).filter(pl.col("season").is_in(excessive["season"].implode()))
    shown = [
        f"{season}: {count:,} of {records:,} records"
        for season, records, count in excessive.head(SEASONS_SHOWN)
        .select("season", "records", "rejected")
        .iter_rows()
    ]
    more = ", …" if excessive.height > SEASONS_SHOWN else ""
    return AssetCheckResult(
        asset_key="raw_matches_rejected",
        check_name="few_records_are_rejected",
        passed=excessive.is_empty(),
        severity=AssetCheckSeverity.WARN,
        description=f"Rejected of {', '.join(shown)}{more}." if shown else None,
        metadata={
            **_reasons(common_reasons(of_seasons)),
            "seasons_above": excessive.height,
            "by_season": MetadataValue.md(as_markdown(shares.head(PREVIEW_ROWS))),
        },
    )


checks = [check_raw_tables]
