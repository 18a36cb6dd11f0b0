"""The IO managers in Dagster runs: tables by partition and whole, folders as artefacts."""

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
from football_assets.storage.tables import (
    CountryTable,
    countries_made_from,
    country_versions,
    read_table,
    read_table_of,
    split_by_country,
    table_object,
    write_table,
)

COUNTRIES = StaticPartitionsDefinition(["at", "de", "eng"])


@asset(partitions_def=COUNTRIES, backfill_policy=BackfillPolicy.single_run(), io_manager_key="tables")
def results(context: AssetExecutionContext) -> dict[str, pl.DataFrame]:
    """A row a country asked for, and the number of the run's countries."""
    keys = list(context.partition_keys)
    return split_by_country(pl.DataFrame({"country": keys, "countries": [len(keys)] * len(keys)}), keys)


@asset(partitions_def=COUNTRIES, backfill_policy=BackfillPolicy.single_run(), io_manager_key="tables")
def later_results() -> dict[str, pl.DataFrame]:
    """Results of one country, whatever countries the run has."""
    return {"eng": pl.DataFrame({"country": ["eng"]})}


@asset(partitions_def=COUNTRIES, backfill_policy=BackfillPolicy.single_run(), io_manager_key="tables")
def copies(context: AssetExecutionContext, results: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return split_by_country(results, list(context.partition_keys))


@asset(io_manager_key="tables")
def summary(results: pl.DataFrame) -> pl.DataFrame:
    return results.select("country", doubled=pl.col("countries") * 2)


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

    for country in ("at", "de"):
        part = read_table(bucket.open(), "results", only={table_object("results", country)})
        assert part.rows() == [(country, 2)]
    assert bucket.open().stat(table_object("results", "eng")) is None


def test_a_run_of_one_partition_leaves_the_others_alone(bucket: BucketResource) -> None:
    run(bucket, results, seasons=("at", "eng"))

    run(bucket, results, partition_key="de")

    assert read_table(bucket.open(), "results").rows() == [("at", 3), ("de", 1), ("eng", 3)]


def test_frames_given_by_partition_leave_the_other_partitions_of_the_run_alone(
    bucket: BucketResource,
) -> None:
    result = run(bucket, later_results, seasons=("at", "eng"))

    assert read_table(bucket.open(), "later_results").rows() == [("eng",)]
    assert bucket.open().stat(table_object("later_results", "at")) is None
    assert result.asset_materializations_for_node("later_results")[0].metadata["objects"].value == 1


def test_a_partitioned_asset_reads_the_same_partitions_and_a_whole_one_reads_all(
    bucket: BucketResource,
) -> None:
    run(bucket, results, seasons=("at", "eng"))

    run(bucket, results, copies, partition_key="de", selection=[copies])
    assert read_table(bucket.open(), "copies").rows() == [("de", 3)]

    result = run(bucket, results, summary, selection=[summary])
    assert read_table(bucket.open(), "summary").rows() == [("at", 6), ("de", 6), ("eng", 6)]
    assert metadata(result, "summary")["object"] == "tables/summary.parquet"


@asset(io_manager_key="tables")
def strengths() -> CountryTable:
    frame = pl.DataFrame({"league_id": ["eng.2", "de.1", "eng.1"], "strength": [3, 4, 1]})
    return CountryTable(frame, ["de", "eng", "sco"], ["de", "eng", "nor", "sco"], {"de": "key"})


def test_a_table_by_country_writes_the_countries_that_were_made_again(bucket: BucketResource) -> None:
    store = bucket.open()
    for country in ("de", "fr", "nor"):
        write_table(
            store, "strengths", pl.DataFrame({"league_id": [f"{country}.1"], "strength": [9]}), country
        )
    write_table(
        store, "strengths", pl.DataFrame({"league_id": ["it.1"], "strength": [9]})
    )  # as it once was kept

    result = run(bucket, strengths)

    assert metadata(result, "strengths")["objects"] == 3
    rows = [("de.1", 4), ("eng.2", 3), ("eng.1", 1), ("nor.1", 9)]
    assert read_table(store, "strengths").rows() == rows
    assert countries_made_from(store, "strengths") == {"de": "key"}
    assert sorted(country_versions(store, "strengths")) == ["de", "eng", "nor", "sco"]
    assert read_table_of(store, "strengths", ["nor", "fr"]).rows() == [("nor.1", 9)]
    assert read_table_of(store, "strengths", ["fr"]).schema == read_table(store, "strengths").schema


def test_a_folder_is_handed_on_as_an_artefact_and_its_scratch_is_cleared(bucket: BucketResource) -> None:
    result = run(bucket, letter, words)

    assert read_table(bucket.open(), "words").rows() == [("hello",)]
    assert not [path for path in Path(bucket.scratch).iterdir() if path.name != "artifacts"]
    found = metadata(result, "letter")
    assert found["bytes"] == 5
    assert bucket.open().read(f"artifacts/letter/{found['digest']}/inner/text") == b"hello"
