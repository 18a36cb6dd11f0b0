"""Assets of the raw stage: `synced_results` fetches landing files; the `raw_matches` tables are read from them."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from dagster import (
    AssetExecutionContext,
    AssetOut,
    BackfillPolicy,
    DataVersion,
    MetadataValue,
    Output,
    TableColumn,
    TableColumnConstraints,
    TableSchema,
    multi_asset,
)

from football_assets.domain.columns import is_played, split_by_country
from football_assets.orchestration.code_versions import RAW_TABLES_CODE
from football_assets.orchestration.metadata import OWNERS, PREVIEW_ROWS
from football_assets.orchestration.partitions import countries, countries_to_build, mark_as_not_built
from football_assets.orchestration.resources import BucketResource
from football_assets.raw.countries import country_of
from football_assets.raw.landing import inventory
from football_assets.raw.quality import common_reasons, measure_coverage, wholly_rejected
from football_assets.raw.read_record import country_states, record_read
from football_assets.raw.sync.assets import GROUP, synced_results
from football_assets.storage.tables import as_markdown

if TYPE_CHECKING:
    from football_assets.raw.matches import ReadMatches

_PREVIEW_COLUMNS = ["kickoff_date", "league_id", "home_team", "home_goals", "away_goals", "away_team"]


@multi_asset(
    outs={
        "raw_matches": AssetOut(
            io_manager_key="tables",
            kinds={"polars", "parquet"},
            owners=OWNERS,
            group_name=GROUP,
            code_version=RAW_TABLES_CODE,
            tags={"grain": "match"},
            description="One row per match, played or not, merged from all landing files of the country. If files "
            "contradict each other, the score in most of them counts.",
        ),
        "raw_matches_rejected": AssetOut(
            io_manager_key="tables",
            kinds={"polars", "parquet"},
            owners=OWNERS,
            group_name=GROUP,
            code_version=RAW_TABLES_CODE,
            tags={"grain": "record"},
            description="Every record of the landing files that is not in `raw_matches`, with its file, its line or "
            "path, and the reason; and every record that is there without the columns in `left_out`.",
        ),
    },
    name="read_landing_files",
    partitions_def=countries,
    backfill_policy=BackfillPolicy.single_run(),
    can_subset=False,
    pool="landing",  # the record of what was read is written after the tables: one run at a time
)
def read_landing_files(
    context: AssetExecutionContext, bucket: BucketResource
) -> Iterator[Output[dict[str, pl.DataFrame]]]:
    """Read the results of countries from their landing files."""
    from football_assets.raw.matches import read_countries

    store = bucket.open()
    listed = inventory(store)
    keys = countries_to_build(context)
    read = read_countries(store, keys, datetime.now(UTC).date(), listed=listed)
    for stray in listed.strays:
        if country_of(stray) is None:
            context.log.warning("%s is in no season: %s", stray.info.name, stray.reason)
    context.log.info(
        "%s: %d matches, %d records rejected",
        ", ".join(keys),
        read.matches.height,
        wholly_rejected(read.rejected).height,
    )
    mark_as_not_built(
        context, ("raw_matches", "raw_matches_rejected"), set(context.partition_keys) - set(keys)
    )
    objects = sum(country_of(item) in keys for item in listed.objects)
    yield Output(
        split_by_country(read.matches, keys),
        "raw_matches",
        metadata=_matches_metadata(read, keys, objects),
        data_version=_content_version(read.matches),
    )
    yield Output(
        split_by_country(read.rejected, keys),
        "raw_matches_rejected",
        metadata=_rejected_metadata(read),
        data_version=_content_version(read.rejected),
    )
    record_read(store, keys, country_states(listed), context.run_id)  # both tables are in the bucket by now


def _content_version(table: pl.DataFrame) -> DataVersion:
    """Return the digest of the rows. Dagster cannot derive it, since the landing files are not assets."""
    rows = table.hash_rows().to_numpy().tobytes()
    return DataVersion(hashlib.blake2b(rows, digest_size=16).hexdigest())


def _matches_metadata(read: "ReadMatches", keys: list[str], objects: int) -> dict[str, Any]:
    matches = read.matches
    played = matches.filter(is_played())
    metadata: dict[str, Any] = {
        "dagster/row_count": matches.height,
        "played": played.height,
        "unplayed": matches.height - played.height,
        "rejected": wholly_rejected(read.rejected).height,
        "landing_objects": objects,
        "countries": ", ".join(keys),
        "leagues": MetadataValue.md(_leagues_table(matches)),
        "measures": MetadataValue.md(as_markdown(measure_coverage(matches))),
        "dagster/column_schema": _column_schema(),
        "latest_results": MetadataValue.md(
            as_markdown(played.sort("kickoff_date", "match_id").tail(PREVIEW_ROWS).select(_PREVIEW_COLUMNS))
        ),
    }
    if matches.height:
        metadata["first_date"] = MetadataValue.text(str(matches["kickoff_date"].min()))
        metadata["last_date"] = MetadataValue.text(str(matches["kickoff_date"].max()))
    return metadata


def _rejected_metadata(read: "ReadMatches") -> dict[str, Any]:
    rejected = read.rejected
    lost = wholly_rejected(rejected).height
    seen = read.matches.height + lost
    return {
        "dagster/row_count": rejected.height,
        "dagster/column_schema": _rejected_column_schema(),
        "share": MetadataValue.float(lost / seen if seen else 0.0),
        "kept_in_part": rejected.height - lost,
        "by_reason": MetadataValue.md(as_markdown(common_reasons(rejected).head(PREVIEW_ROWS))),
    }


def _leagues_table(matches: pl.DataFrame) -> str:
    leagues = (
        matches.group_by("league_id")
        .agg(
            seasons=pl.col("season").n_unique(),
            teams=pl.concat([pl.col("home_team"), pl.col("away_team")]).n_unique(),
            played=is_played().sum(),
            unplayed=(~is_played()).sum(),
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


def _rejected_column_schema() -> TableSchema:
    from football_assets.raw.matches import REJECTED_DESCRIPTIONS, REJECTED_SCHEMA

    return TableSchema(
        columns=[
            TableColumn(name, str(kind), description=REJECTED_DESCRIPTIONS[name])
            for name, kind in REJECTED_SCHEMA.items()
        ]
    )


assets = [synced_results, read_landing_files]
