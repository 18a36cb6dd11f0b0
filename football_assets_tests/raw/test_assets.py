"""The raw tables and their checks, materialised by Dagster in a real bucket."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from dagster import AssetKey, AssetsDefinition, DagsterInstance, Definitions, ExecuteInProcessResult, asset

from football_assets.orchestration.io_managers import TableIOManager
from football_assets.orchestration.metadata import reasons_of
from football_assets.orchestration.partitions import BUILT, COUNTRIES_TAG
from football_assets.orchestration.resources import BucketResource
from football_assets.raw.assets import read_landing_files
from football_assets.raw.checks import checks
from football_assets.raw.matches import read_countries
from football_assets.raw.read_record import last_read
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import read_table, table_objects, write_table
from football_assets_tests.builders.landings import TODAY, csv_of, json_of, listed, put

COUNTRIES = ["eng", "es", "fr"]


@pytest.fixture
def resource(bucket: Bucket, tmp_path: Path) -> BucketResource:
    return BucketResource(url=bucket.url, scratch=str(tmp_path / "scratch"))


def materialise(
    resource: BucketResource,
    first: str,
    last: str,
    downstream: Sequence[AssetsDefinition] = (),
    only: Sequence[str] = (),
) -> ExecuteInProcessResult:
    definitions = Definitions(
        assets=[read_landing_files, *downstream],
        asset_checks=checks,
        resources={"bucket": resource, "tables": TableIOManager(bucket=resource)},
    )
    instance = DagsterInstance.ephemeral()
    instance.add_dynamic_partitions("countries", COUNTRIES)
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    job = definitions.resolve_implicit_global_asset_job_def()
    tags |= {COUNTRIES_TAG: ",".join(only)} if only else {}
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def check_results(result: ExecuteInProcessResult) -> dict[str, bool]:
    return {evaluation.check_name: evaluation.passed for evaluation in result.get_asset_check_evaluations()}


def test_a_range_of_countries_is_one_run_that_writes_a_partition_each(
    bucket: Bucket, resource: BucketResource
) -> None:
    put(bucket, "a/2012-13/eng.1.csv", csv_of("Sat Aug 18 2012,Fulham,2-1,?,Burnley"))
    put(
        bucket,
        "a/2014-15/fr.1.json",
        json_of(listed("2014-08-16", "Fulham", "Burnley"), listed("2014-02-30", "a", "b")),
    )
    put(bucket, "notes.txt", "x")
    result = materialise(resource, "eng", "fr")
    assert result.success
    assert [name for name, passed in check_results(result).items() if not passed] == [
        "every_file_can_be_read",
        "few_records_are_rejected",
    ]
    evaluations = {item.check_name: item for item in result.get_asset_check_evaluations()}
    unread, few = (evaluations[name] for name in ("every_file_can_be_read", "few_records_are_rejected"))
    assert unread.description == "Files that cannot be read: 1. Land them again, or remove them."
    assert reasons_of(unread) == (("raw/notes.txt: Its folder is not a season like 2015-16 or 2015.", 1),)
    assert few.description == "Rejected of 2014-15: 1 of 2 records."
    ((reason, records),) = reasons_of(few)
    assert reason.startswith("raw/a/2014-15/fr.1.json: ")
    assert "2014-02-30" in reason
    assert records == 1
    names = [item.name for item in table_objects(bucket, "raw_matches")]
    assert names == [f"tables/raw_matches/{country}.parquet" for country in COUNTRIES]
    expected = read_countries(bucket, COUNTRIES, TODAY)
    assert read_table(bucket, "raw_matches").equals(expected.matches)
    assert read_table(bucket, "raw_matches_rejected").equals(expected.rejected)
    metadata = result.asset_materializations_for_node("read_landing_files")[0].metadata
    assert metadata["played"].value == 1
    assert metadata["unplayed"].value == 1
    assert metadata["rejected"].value == 1
    assert "| 2012-08-18 | eng.1 | Fulham | 2 | 1 | Burnley |" in str(metadata["latest_results"].value)
    assert "eng.1" in str(metadata["leagues"].value)


def test_a_file_that_is_no_results_warns(bucket: Bucket, resource: BucketResource) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    put(bucket, "b/2014-15/eng.1.json", "<html>502 Bad Gateway</html>")
    result = materialise(resource, "eng", "eng")
    assert result.success
    assert not check_results(result)["every_file_can_be_read"]
    assert read_table(bucket, "raw_matches").height == 1


def test_a_country_without_files_materialises_to_an_empty_table(
    bucket: Bucket, resource: BucketResource
) -> None:
    result = materialise(resource, "es", "es")
    assert result.success
    assert all(check_results(result).values())
    assert read_table(bucket, "raw_matches").is_empty()


def test_countries_of_the_range_that_are_not_named_stay_as_they_are_and_say_so(
    bucket: Bucket, resource: BucketResource
) -> None:
    for country in COUNTRIES:
        put(bucket, f"a/2014-15/{country}.1.csv", csv_of("Mon Sep 1 2014,Fulham,2-1,?,Burnley"))
    materialise(resource, "eng", "fr")
    before = last_read(bucket)
    for country in COUNTRIES:
        put(bucket, f"a/2014-15/{country}.1.csv", csv_of("Mon Sep 1 2014,Reading,2-1,?,Burnley"))
    result = materialise(resource, "eng", "fr", only=["fr", "eng"])
    assert read_table(bucket, "raw_matches")["home_team"].to_list() == ["Reading", "Fulham", "Reading"]
    events = result.asset_materializations_for_node("read_landing_files")
    marked = {event.partition for event in events if BUILT in event.metadata}
    assert marked == {"es"}
    after = last_read(bucket)
    assert {country for country in COUNTRIES if after[country] == before[country]} == {"es"}
    assert after["eng"].run_id == result.run_id


def test_a_country_outside_the_range_is_refused(bucket: Bucket, resource: BucketResource) -> None:
    result = materialise(resource, "eng", "es", only=["fr"])
    (failure,) = result.get_step_failure_events()
    assert "has no country fr" in str(failure.step_failure_data.error)
    assert last_read(bucket) == {}


def test_materialising_again_gives_the_same_bytes(bucket: Bucket, resource: BucketResource) -> None:
    put(bucket, "a/2012-13/eng.1.csv", csv_of("Sat Aug 18 2012,Fulham,2-1,?,Burnley", "broken"))
    versions = []
    for _ in range(2):
        materialise(resource, "eng", "eng")
        versions.append([item.version for item in bucket.list("tables/")])
    assert versions[0] == versions[1]


def test_checks_find_what_is_wrong(bucket: Bucket, resource: BucketResource) -> None:
    home, away = "Sat Aug 18 2012,{},2-1,?,{}", "Sat Aug 25 2012,{1},0-0,?,{0}"
    for source, names in (("a", ("Fulham", "Burnley")), ("b", ("Fulham United", "Burnley City"))):
        rows = [row.format(*names) for row in (home, away)]
        put(bucket, f"{source}/2012-13/eng.1.csv", csv_of(*rows, "broken", "broken"))
    put(bucket, "a/2012-13/eng.2.json", "<html>502 Bad Gateway</html>")
    put(bucket, "a/2014-15/fr.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    materialise(resource, "fr", "fr")
    spoilt = read_table(bucket, "raw_matches").with_columns(
        kickoff_date=pl.date(2999, 1, 1), home_team=pl.lit("Fulham"), away_team=pl.lit("Fulham")
    )
    write_table(bucket, "raw_matches", spoilt, "fr")
    bucket.write("raw/a/2014-15/fr.1.csv", csv_of().encode())
    passed = check_results(materialise(resource, "eng", "eng"))
    assert len(passed) == sum(len(list(definition.check_specs)) for definition in checks)
    assert not any(passed.values())


def test_a_broken_rule_stops_what_is_downstream(bucket: Bucket, resource: BucketResource) -> None:
    @asset(deps=["raw_matches"])
    def downstream() -> None:
        """An asset downstream of the matches."""

    put(bucket, "a/2014-15/fr.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    materialise(resource, "fr", "fr")
    spoilt = read_table(bucket, "raw_matches").with_columns(away_team=pl.lit("Fulham"))
    for country, table, reached in (("eng", spoilt, False), ("fr", None, True)):
        if table is not None:
            write_table(bucket, "raw_matches", table, "fr")
        result = materialise(resource, country, country, [downstream])
        assert check_results(result)["rows_keep_to_the_schema"] is reached
        made = {event.asset_key for event in result.get_asset_materialization_events()}
        assert (AssetKey("downstream") in made) is reached


def test_both_tables_are_described_in_the_landing_group() -> None:
    for name in ("raw_matches", "raw_matches_rejected"):
        spec = read_landing_files.get_asset_spec(AssetKey(name))
        assert spec.description
        assert spec.group_name == "landing"
        assert spec.owners == ["team:forecasting"]
        assert "polars" in spec.kinds
