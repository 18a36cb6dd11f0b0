"""The raw tables, materialized by Dagster in a real bucket."""

from dagster import AssetKey

from football_assets.orchestration.metadata import reasons_of
from football_assets.orchestration.partitions import BUILT
from football_assets.orchestration.resources import BucketResource
from football_assets.raw.assets import read_landing_files
from football_assets.raw.matches import read_countries
from football_assets.raw.read_record import last_read
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import read_table, table_objects
from football_assets_tests.builders.landings import TODAY, csv_of, json_of, listed, put
from football_assets_tests.builders.raw_graph import COUNTRIES, check_results, materialize_countries


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
    result = materialize_countries(resource, "eng", "fr")
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


def test_a_country_without_files_materializes_to_an_empty_table(
    bucket: Bucket, resource: BucketResource
) -> None:
    result = materialize_countries(resource, "es", "es")
    assert result.success
    assert all(check_results(result).values())
    assert read_table(bucket, "raw_matches").is_empty()


def test_countries_of_the_range_that_are_not_named_stay_as_they_are_and_say_so(
    bucket: Bucket, resource: BucketResource
) -> None:
    for country in COUNTRIES:
        put(bucket, f"a/2014-15/{country}.1.csv", csv_of("Mon Sep 1 2014,Fulham,2-1,?,Burnley"))
    materialize_countries(resource, "eng", "fr")
    before = last_read(bucket)
    for country in COUNTRIES:
        put(bucket, f"a/2014-15/{country}.1.csv", csv_of("Mon Sep 1 2014,Reading,2-1,?,Burnley"))
    result = materialize_countries(resource, "eng", "fr", only=["fr", "eng"])
    assert read_table(bucket, "raw_matches")["home_team"].to_list() == ["Reading", "Fulham", "Reading"]
    events = result.asset_materializations_for_node("read_landing_files")
    marked = {event.partition for event in events if BUILT in event.metadata}
    assert marked == {"es"}
    after = last_read(bucket)
    assert {country for country in COUNTRIES if after[country] == before[country]} == {"es"}
    assert after["eng"].run_id == result.run_id


def test_a_country_outside_the_range_is_refused(bucket: Bucket, resource: BucketResource) -> None:
    result = materialize_countries(resource, "eng", "es", only=["fr"])
    (failure,) = result.get_step_failure_events()
    assert "has no country fr" in str(failure.step_failure_data.error)
    assert last_read(bucket) == {}


def test_materializing_again_gives_the_same_bytes(bucket: Bucket, resource: BucketResource) -> None:
    put(bucket, "a/2012-13/eng.1.csv", csv_of("Sat Aug 18 2012,Fulham,2-1,?,Burnley", "broken"))
    versions = []
    for _ in range(2):
        materialize_countries(resource, "eng", "eng")
        versions.append([item.version for item in bucket.list("tables/")])
    assert versions[0] == versions[1]


def test_both_tables_are_described_in_the_landing_group() -> None:
    for name in ("raw_matches", "raw_matches_rejected"):
        spec = read_landing_files.get_asset_spec(AssetKey(name))
        assert spec.description
        assert spec.group_name == "landing"
        assert spec.owners == ["team:forecasting"]
        assert "polars" in spec.kinds
