"""The IO managers in Dagster runs: tables by partition and whole, folders as artifacts."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    BackfillPolicy,
    DagsterInstance,
    ExecuteInProcessResult,
    MaterializeResult,
    StaticPartitionsDefinition,
    asset,
    materialize,
)

from football_assets.orchestration.dagster_private import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)
from football_assets.orchestration.io_managers import FolderIOManager, TableIOManager
from football_assets.orchestration.resources import BucketResource, bucket_resources
from football_assets.settings import Settings
from football_assets.storage.tables import read_table, read_table_of, table_object

SEASONS = StaticPartitionsDefinition(["at", "de", "eng"])


@asset(partitions_def=SEASONS, backfill_policy=BackfillPolicy.single_run(), io_manager_key="tables")
def results(context: AssetExecutionContext) -> dict[str, pl.DataFrame]:
    """A row per season of the run, and the number of the run's seasons."""
    seasons = list(context.partition_keys)
    return {season: pl.DataFrame({"season": [season], "seasons": [len(seasons)]}) for season in seasons}


@asset(io_manager_key="tables")
def summary(results: pl.DataFrame) -> pl.DataFrame:
    return results.select("season", doubled=pl.col("seasons") * 2)


@asset(io_manager_key="folders")
def letter(bucket: BucketResource) -> MaterializeResult[Path]:
    folder = bucket.scratch_folder("letter")
    (folder / "inner").mkdir()
    (folder / "inner" / "text").write_text("hello")
    return MaterializeResult(value=folder)


@asset(io_manager_key="tables")
def words(letter: Path) -> pl.DataFrame:
    return pl.DataFrame({"text": [(letter / "inner" / "text").read_text()]})


@pytest.fixture
def bucket(bucket_url: str, tmp_path: Path) -> BucketResource:
    return bucket_resources(Settings(bucket=bucket_url, home=tmp_path))[0]


def run(
    bucket: BucketResource, *assets: AssetsDefinition, seasons: tuple[str, str] | None = None, **options: Any
) -> ExecuteInProcessResult:
    tags = {}
    if seasons:
        tags = {ASSET_PARTITION_RANGE_START_TAG: seasons[0], ASSET_PARTITION_RANGE_END_TAG: seasons[1]}
    resources = {
        "bucket": bucket,
        "tables": TableIOManager(bucket=bucket),
        "folders": FolderIOManager(bucket=bucket),
    }
    return materialize(
        assets, resources=resources, tags=tags, instance=DagsterInstance.ephemeral(), **options
    )


def metadata(result: ExecuteInProcessResult, name: str) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node(name)
    return {key: value.value for key, value in event.metadata.items()}


def test_a_run_of_several_partitions_writes_each_to_its_own_object(bucket: BucketResource) -> None:
    run(bucket, results, seasons=("at", "de"))

    for season in ("at", "de"):
        assert read_table_of(bucket.open(), "results", [season]).rows() == [(season, 2)]
    assert bucket.open().stat(table_object("results", "eng")) is None


def test_a_run_of_one_partition_leaves_the_others_alone(bucket: BucketResource) -> None:
    run(bucket, results, seasons=("at", "eng"))

    run(bucket, results, partition_key="de")

    assert read_table(bucket.open(), "results").rows() == [("at", 3), ("de", 1), ("eng", 3)]


def test_an_asset_without_partitions_reads_all_of_a_table_and_is_one_object(bucket: BucketResource) -> None:
    run(bucket, results, seasons=("at", "eng"))

    result = run(bucket, results, summary, selection=[summary])

    assert read_table(bucket.open(), "summary").rows() == [("at", 6), ("de", 6), ("eng", 6)]
    assert metadata(result, "summary")["object"] == "tables/summary.parquet"


def test_the_number_of_objects_and_their_bytes_are_metadata(bucket: BucketResource) -> None:
    result = run(bucket, results, seasons=("at", "de"))

    event, _ = result.asset_materializations_for_node("results")
    assert event.metadata["objects"].value == 2
    sizes = [item.size for item in bucket.open().list("tables/results/")]
    assert event.metadata["bytes"].value == sum(sizes)


def test_a_folder_is_handed_on_as_an_artifact_and_its_scratch_is_cleared(bucket: BucketResource) -> None:
    result = run(bucket, letter, words)

    assert read_table(bucket.open(), "words").rows() == [("hello",)]
    assert not [path for path in Path(bucket.scratch).iterdir() if path.name != "artifacts"]
    found = metadata(result, "letter")
    assert found["bytes"] == 5
    assert bucket.open().read(f"artifacts/letter/{found['digest']}/inner/text") == b"hello"
