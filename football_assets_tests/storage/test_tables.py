"""Tables in the bucket: whole or by partition, and what a missing one says."""

import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from football_assets.errors import ObjectNotFound
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import (
    CountryTable,
    as_markdown,
    countries_made_from,
    country_versions,
    latest_country,
    read_table,
    read_table_object,
    read_table_of,
    table_object,
    table_objects,
    write_by_country,
    write_country_table,
    write_table,
)


@pytest.fixture
def bucket(bucket_url: str) -> Bucket:
    return open_bucket(bucket_url)


def test_a_table_is_one_object_and_comes_back_with_its_types(bucket: Bucket) -> None:
    frame = pl.DataFrame(
        {"goals": [1, None], "team": ["Málaga", "Köln"]}, schema={"goals": pl.Int16, "team": pl.String}
    )

    info = write_table(bucket, "results", frame)

    assert info.name == table_object("results") == "tables/results.parquet"
    assert_frame_equal(read_table(bucket, "results"), frame)


def test_partitions_come_back_in_order_of_their_names_and_each_is_replaced_alone(bucket: Bucket) -> None:
    for season, goals in (("2015-16", 3), ("2014-15", 1)):
        write_table(bucket, "results", pl.DataFrame({"season": [season], "goals": [goals]}), season)
    write_table(bucket, "results", pl.DataFrame({"season": ["2014-15"] * 2, "goals": [7, 8]}), "2014-15")

    assert read_table(bucket, "results")["goals"].to_list() == [7, 8, 3]
    assert [item.name for item in table_objects(bucket, "results")] == [
        "tables/results/2014-15.parquet",
        "tables/results/2015-16.parquet",
    ]


def test_only_the_partitions_asked_for_are_read(bucket: Bucket) -> None:
    for season in ("a", "b", "c"):
        write_table(bucket, "results", pl.DataFrame({"season": [season]}), season)

    wanted = {table_object("results", season) for season in ("a", "c", "never")}

    assert read_table(bucket, "results", only=wanted)["season"].to_list() == ["a", "c"]


def test_partitions_of_different_columns_and_widths_and_empty_ones_are_joined(bucket: Bucket) -> None:
    write_table(bucket, "results", pl.DataFrame({"goals": [1]}, schema={"goals": pl.Int16}), "a")
    write_table(bucket, "results", pl.DataFrame({"goals": [2], "odds": [1.5]}), "b")
    write_table(bucket, "results", pl.DataFrame({"goals": []}, schema={"goals": pl.Int64}), "c")
    write_table(bucket, "results", pl.DataFrame(), "d")

    found = read_table(bucket, "results")

    assert found.to_dict(as_series=False) == {"goals": [1, 2], "odds": [None, 1.5]}


def test_a_table_whose_name_begins_like_anothers_is_not_taken_for_it(bucket: Bucket) -> None:
    write_table(bucket, "raw_matches_rejected", pl.DataFrame({"x": [1]}), "2014")

    assert table_objects(bucket, "raw_matches") == []


def test_the_columns_named_like_folders_are_the_files_own(bucket: Bucket) -> None:
    write_table(bucket, "results", pl.DataFrame({"goals": [1]}), "season=2014")

    assert read_table(bucket, "results").columns == ["goals"]


def test_a_missing_table_names_the_asset_to_materialise(tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFound, match="materialise the asset 'team_form' first"):
        read_table(open_bucket(str(tmp_path)), "team_form")


def test_the_same_frame_gives_the_same_bytes(bucket: Bucket) -> None:
    frame = pl.DataFrame({"goals": range(1000)})

    first, second = (write_table(bucket, name, frame).name for name in ("a", "b"))

    assert bucket.read(first) == bucket.read(second)


def test_a_frame_is_a_markdown_table() -> None:
    frame = pl.DataFrame({"team": ["A|B", "C\nD"], "goals": [1, None]})
    assert as_markdown(frame) == "| team | goals |\n| --- | --- |\n| A\\|B | 1 |\n| C D |  |"


def test_an_empty_frame_says_so() -> None:
    assert as_markdown(pl.DataFrame({"team": []})) == "None."


OF_BEFORE = pl.DataFrame({"league_id": ["eng.1", "de.1", "eng.2"], "strength": [1, 2, 3]})


def test_a_table_that_is_one_object_is_read_by_country_all_the_same(bucket: Bucket) -> None:
    """As an earlier version of the package wrote it."""
    info = write_table(bucket, "strengths", OF_BEFORE)

    assert country_versions(bucket, "strengths") == {"de": info.version, "eng": info.version}
    assert countries_made_from(bucket, "strengths") == {}
    assert read_table_of(bucket, "strengths", ["eng"]).rows() == [("eng.1", 1), ("eng.2", 3)]
    assert read_table_of(bucket, "strengths", ["eng"], ["strength"]).rows() == [(1,), (3,)]
    assert read_table_of(bucket, "strengths", ["fr"]).rows() == []
    assert latest_country(bucket, "strengths") == ["de", "eng"]


def test_an_object_of_before_stays_until_the_table_has_one_of_a_country(bucket: Bucket) -> None:
    write_table(bucket, "strengths", OF_BEFORE)

    write_country_table(bucket, "strengths", CountryTable(OF_BEFORE.clear(), [], ["de", "eng"], {}))
    assert read_table(bucket, "strengths").equals(OF_BEFORE)

    write_by_country(bucket, "strengths", OF_BEFORE)
    assert [item.name for item in table_objects(bucket, "strengths")] == [
        "tables/strengths/de.parquet",
        "tables/strengths/eng.parquet",
    ]
    assert bucket.stat(table_object("strengths")) is None


def test_the_country_written_last_is_told(bucket: Bucket) -> None:
    write_by_country(bucket, "strengths", OF_BEFORE)
    time.sleep(0.02)
    write_table(bucket, "strengths", OF_BEFORE.head(0), "aa")

    assert latest_country(bucket, "strengths") == ["aa"]
    with pytest.raises(ObjectNotFound, match="materialise the asset 'nothing' first"):
        latest_country(bucket, "nothing")


def test_an_object_that_goes_while_a_table_is_read_is_named(tmp_path: Path) -> None:
    bucket = open_bucket(str(tmp_path / "bucket"))

    with pytest.raises(ObjectNotFound, match="tables/strengths/de.parquet"):
        read_table_object(bucket, "tables/strengths/de.parquet")
