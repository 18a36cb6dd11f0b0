"""Public sources become landing files, and those `raw_matches` and `raw_matches_rejected`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from dagster import (
    AssetExecutionContext,
    AssetOut,
    BackfillPolicy,
    Config,
    MetadataValue,
    Output,
    TableColumn,
    TableColumnConstraints,
    TableSchema,
    multi_asset,
)
from pydantic import Field

from football_assets.errors import FootballError
from football_assets.orchestration.partitions import seasons
from football_assets.orchestration.resources import BucketResource
from football_assets.raw.landing import inventory
from football_assets.raw.quality import common_reasons
from football_assets.raw.read_record import landed_seasons, record_read
from football_assets.raw.sync.assets import synced_results
from football_assets.storage.tables import as_markdown

if TYPE_CHECKING:
    from football_assets.raw.matches import SeasonMatches

OWNERS = ["team:forecasting"]
GROUP = "landing"
PREVIEW_COLUMNS = ["kickoff_date", "league_id", "home_team", "home_goals", "away_goals", "away_team"]
PREVIEW_ROWS = 10


class SeasonsToRead(Config):
    """Which seasons of the run's range are read. Dagster runs a range of partitions, without gaps, as one run."""

    seasons: list[str] = Field(
        default_factory=list,
        description="Seasons to read; the others of the range stay as they are. Empty: all of the range.",
    )


@multi_asset(
    outs={
        "raw_matches": AssetOut(
            io_manager_key="tables",
            kinds={"polars", "parquet"},
            owners=OWNERS,
            group_name=GROUP,
            tags={"grain": "match"},
            description="One row a match, played or not, merged from all landing files of the season. Where files "
            "contradict each other the score that most of them list stands.",
        ),
        "raw_matches_rejected": AssetOut(
            io_manager_key="tables",
            kinds={"polars", "parquet"},
            owners=OWNERS,
            group_name=GROUP,
            tags={"grain": "record"},
            description="Every record of the landing files that is not in `raw_matches`, with its file, its line or "
            "path, and the reason.",
        ),
    },
    name="read_landing_files",
    partitions_def=seasons,
    backfill_policy=BackfillPolicy.single_run(),
    can_subset=False,
    pool="landing",  # what was read is noted after the tables are written: two readings would mix
)
def read_landing_files(
    context: AssetExecutionContext, config: SeasonsToRead, bucket: BucketResource
) -> Iterator[Output[dict[str, pl.DataFrame]]]:
    """Results of the seasons as their landing files have them."""
    from football_assets.raw.matches import read_seasons

    store = bucket.open()
    listed = inventory(store)
    keys = _selected(config.seasons, list(context.partition_keys))
    read = read_seasons(store, keys, datetime.now(UTC).date(), listed=listed)
    for stray in listed.strays:
        if stray.season is None:
            context.log.warning("%s is in no season: %s", stray.info.name, stray.reason)
    context.log.info(
        "%d season(s): %d matches, %d records rejected", len(keys), read.matches.height, read.rejected.height
    )
    for name in ("raw_matches", "raw_matches_rejected"):
        for key in set(context.partition_keys) - set(keys):
            context.add_asset_metadata({"read_in_this_run": False}, name, key)
    objects = sum(item.season in set(keys) for item in listed.objects)
    yield Output(
        _by_season(read.matches, keys), "raw_matches", metadata=_matches_metadata(read, keys, objects)
    )
    yield Output(_by_season(read.rejected, keys), "raw_matches_rejected", metadata=_rejected_metadata(read))
    record_read(store, keys, landed_seasons(listed), context.run_id)  # both tables are in the bucket by now


def _selected(wanted: list[str], keys: list[str]) -> list[str]:
    outside = sorted(set(wanted) - set(keys))
    if outside:
        raise FootballError(f"The run's range has no season {', '.join(outside)}: it has {', '.join(keys)}.")
    return [key for key in keys if key in wanted] if wanted else keys


def _by_season(frame: pl.DataFrame, keys: list[str]) -> dict[str, pl.DataFrame]:
    return {key: frame.filter(pl.col("season") == key) for key in keys}


def _matches_metadata(read: "SeasonMatches", keys: list[str], objects: int) -> dict[str, Any]:
    matches = read.matches
    played = matches.filter(pl.col("home_goals").is_not_null())
    metadata: dict[str, Any] = {
        "dagster/row_count": matches.height,
        "played": played.height,
        "unplayed": matches.height - played.height,
        "rejected": read.rejected.height,
        "landing_objects": objects,
        "seasons": f"{keys[0]} to {keys[-1]}" if len(keys) > 1 else ", ".join(keys),
        "leagues": MetadataValue.md(_leagues_table(matches)),
        "dagster/column_schema": _column_schema(),
        "latest_results": MetadataValue.md(
            as_markdown(played.sort("kickoff_date", "match_id").tail(PREVIEW_ROWS).select(PREVIEW_COLUMNS))
        ),
    }
    if matches.height:
        metadata["first_date"] = MetadataValue.text(str(matches["kickoff_date"].min()))
        metadata["last_date"] = MetadataValue.text(str(matches["kickoff_date"].max()))
    return metadata


def _rejected_metadata(read: "SeasonMatches") -> dict[str, Any]:
    rejected = read.rejected
    seen = read.matches.height + rejected.height
    return {
        "dagster/row_count": rejected.height,
        "share": MetadataValue.float(rejected.height / seen if seen else 0.0),
        "by_reason": MetadataValue.md(as_markdown(common_reasons(rejected).head(PREVIEW_ROWS))),
    }


def _leagues_table(matches: pl.DataFrame) -> str:
    is_played = pl.col("home_goals").is_not_null()
    leagues = (
        matches.group_by("league_id")
        .agg(
            seasons=pl.col("season").n_unique(),
            teams=pl.concat([pl.col("home_team"), pl.col("away_team")]).n_unique(),
            played=is_played.sum(),
            unplayed=(~is_played).sum(),
        )
        .sort("league_id")
    )
    return as_markdown(leagues)


def _column_schema() -> TableSchema:
    from football_assets.raw.schema import Match

    return TableSchema(
        columns=[
            TableColumn(
                name,
                str(column.dtype),
                description=column.description,
                constraints=TableColumnConstraints(nullable=column.nullable, unique=column.primary_key),
            )
            for name, column in Match.columns().items()
        ]
    )


assets = [synced_results, read_landing_files]
