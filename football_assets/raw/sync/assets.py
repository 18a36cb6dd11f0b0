"""The asset `synced_results`: fetch the files of public sources into the landing folder."""

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

from football_assets.orchestration.metadata import OWNERS
from football_assets.orchestration.resources import BucketResource
from football_assets.settings import get_settings
from football_assets.storage.tables import as_markdown

if TYPE_CHECKING:
    from football_assets.raw.sync.results import SyncResult
    from football_assets.storage.bucket import Bucket

GROUP = "landing"
ACCEPTED_CHECK = "no_file_is_refused"
DELIVERY_CHECK = "every_source_delivers"
SHOWN_NOTE_CHARACTERS = 200


class SyncRequest(Config):
    """Select the sources, seasons and leagues to fetch."""

    sources: list[str] = Field(
        default=["openfootball"],
        description="openfootball, footballcsv, football-data (22 leagues with odds and statistics), "
        "football-data-extra (16 countries with odds).",
    )
    seasons: list[str] = Field(default=[], description="Like 2025-26, or 2025. Empty: the current seasons.")
    leagues: list[str] = Field(default=[], description="Like eng.1. Empty: every league of the source.")


@asset(
    group_name=GROUP,
    kinds={"python"},
    owners=OWNERS,
    tags={"grain": "file"},
    pool="public_sources",
    check_specs=[
        AssetCheckSpec(
            ACCEPTED_CHECK,
            asset="synced_results",
            description="No fetched file was rejected. The landing object of a rejected file is unchanged.",
        ),
        AssetCheckSpec(
            DELIVERY_CHECK,
            asset="synced_results",
            description="Every source was reachable and has at least one of the requested files. The landing objects "
            "of a source that does not deliver are unchanged.",
        ),
    ],
)
def synced_results(
    context: AssetExecutionContext, config: SyncRequest, bucket: BucketResource
) -> MaterializeResult:
    """Fetch files of the public sources over HTTP, and land those whose content changed under `raw/`.

    A truncated or shrunk file is rejected and the landing object does not change. An unreachable source is a warning of
    the check `every_source_delivers`. An unknown source, season or league fails the run. `new_results_sensor` requests
    the run that reads the landed files.
    """
    from football_assets.raw.sync.results import sync_sources

    store = bucket.open()
    result = sync_sources(
        store,
        get_settings(),
        config.sources,
        today=datetime.now(UTC).date(),
        seasons=config.seasons,
        leagues=config.leagues,
        report=lambda file: context.log.info(f"{file.status}: {file.url} {file.note}"),
    )
    return MaterializeResult(
        metadata=_sync_metadata(result),
        check_results=[_acceptance_result(result), _delivery_result(result, store)],
    )


def _acceptance_result(result: "SyncResult") -> AssetCheckResult:
    from football_assets.raw.sync.results import FileStatus

    rejected = result.of_status(FileStatus.REJECTED)
    return AssetCheckResult(
        check_name=ACCEPTED_CHECK,
        passed=not rejected,
        severity=AssetCheckSeverity.WARN,
        metadata={
            "rejected": MetadataValue.md("\n".join(f"- {file.url}: {file.note}" for file in rejected)),
        },
    )


def _delivery_result(result: "SyncResult", store: "Bucket") -> AssetCheckResult:
    """Evaluate per source whether it delivered, and count its landing objects, which a failed fetch leaves as is."""
    from football_assets.raw.landing.objects import RAW
    from football_assets.raw.sync.results import FileStatus

    delivered = {FileStatus.NEW, FileStatus.CHANGED, FileStatus.UNCHANGED, FileStatus.REJECTED}
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    for source in dict.fromkeys(file.source for file in result.files):
        files = [file for file in result.files if file.source == source]
        failed = [file for file in files if file.status is FileStatus.FAILED]
        landed = sum(1 for _ in store.list(f"{RAW}{source}/"))
        note = ""
        if failed:
            note = failed[0].note
        elif delivered.isdisjoint(file.status for file in files):
            note = f"None of the requested files exists, such as {files[0].url}."
        if note:
            problems.append(f"{source}: {note} {landed} landing objects of {source} are kept.")
        rows.append(
            {
                "source": source,
                "files requested": len(files),
                "files failed": len(failed),
                "landing objects kept": landed,
                "reason": note[:SHOWN_NOTE_CHARACTERS],
            }
        )
    return AssetCheckResult(
        check_name=DELIVERY_CHECK,
        passed=not problems,
        severity=AssetCheckSeverity.WARN,
        description=" ".join(problems) or None,
        metadata={"sources": MetadataValue.md(as_markdown(pl.DataFrame(rows)))},
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
