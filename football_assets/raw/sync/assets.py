"""Public sources become landing files: `synced_results`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    Config,
    MaterializeResult,
    MetadataValue,
    asset,
)
from pydantic import Field

from football_assets.errors import FootballError
from football_assets.orchestration.resources import BucketResource
from football_assets.settings import get_settings
from football_assets.storage.tables import as_markdown

if TYPE_CHECKING:
    from football_assets.raw.sync.results import SyncResult

OWNERS = ["team:forecasting"]
GROUP = "landing"


class SyncRequest(Config):
    """What to ask the public sources for."""

    sources: list[str] = Field(
        default=["openfootball"],
        description="openfootball, footballcsv, football-data. The last two spell teams alike, openfootball otherwise: "
        "two spellings of one league are two sets of teams.",
    )
    seasons: list[str] = Field(default=[], description="Like 2025-26, or 2025; none: those being played.")
    leagues: list[str] = Field(default=[], description="Like eng.1; none: all that a source has.")


@asset(
    group_name=GROUP,
    kinds={"python"},
    owners=OWNERS,
    tags={"grain": "file"},
    pool="public_sources",
    check_specs=[
        AssetCheckSpec(
            "no_file_is_refused",
            asset="synced_results",
            description="Every fetched file may replace the one that landed before.",
        )
    ],
)
def synced_results(
    context: AssetExecutionContext, config: SyncRequest, bucket: BucketResource
) -> MaterializeResult:
    """Landing files as the public sources have them now. A broken or shrunk file is refused and the landed one stays.

    What is new under `raw/` is read by the seasons' next run.
    """
    from football_assets.raw.sync.results import FileStatus, sync_results

    result = sync_results(
        bucket.open(),
        get_settings(),
        config.sources,
        today=datetime.now(UTC).date(),
        seasons=config.seasons,
        leagues=config.leagues,
        report=lambda file: context.log.info(f"{file.status}: {file.url} {file.note}"),
    )
    refused = result.of_status(FileStatus.REJECTED)
    if result.problem and not refused:
        raise FootballError(result.problem)
    return MaterializeResult(
        metadata=_sync_metadata(result),
        check_results=[
            AssetCheckResult(
                check_name="no_file_is_refused",
                passed=not refused,
                severity=AssetCheckSeverity.WARN,
                metadata={
                    "refused": MetadataValue.md("\n".join(f"- {file.url}: {file.note}" for file in refused))
                },
            )
        ],
    )


def _sync_metadata(result: "SyncResult") -> dict[str, Any]:
    from football_assets.raw.sync.results import FileStatus

    names = ["source", "season", "league_id", "status", "matches", "note"]
    rows = [[getattr(file, name) for name in names] for file in result.files]
    files = pl.DataFrame(
        rows, schema={name: pl.Int64 if name == "matches" else pl.String for name in names}, orient="row"
    )
    return {
        **{status.value: len(result.of_status(status)) for status in FileStatus},
        "files": MetadataValue.md(as_markdown(files)),
    }
