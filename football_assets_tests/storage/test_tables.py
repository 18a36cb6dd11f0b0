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
    as_markdown,
    latest_partition,
    read_table,
    read_table_object,
    read_table_of,
    table_object,
    table_objects,
    write_partitions,
    write_table,
)
from football_assets_tests.builders.tables import write_by_country


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

    assert read_table_of(bucket, "results", ["c", "a", "never"])["season"].to_list() == ["a", "c"]
    assert read_table_of(bucket, "results", ["never"]).schema == read_table(bucket, "results").schema
    assert read_table_of(bucket, "results", ["never"]).is_empty()


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


def test_a_missing_table_names_the_asset_to_materialize(tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFound, match="materialize the asset 'team_form' first"):
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


STRENGTHS = pl.DataFrame({"league_id": ["eng.1", "de.1", "eng.2"], "strength": [1, 2, 3]})


def test_partitions_are_read_with_the_columns_asked_for(bucket: Bucket) -> None:
    write_by_country(bucket, "strengths", STRENGTHS)

    assert read_table_of(bucket, "strengths", ["eng"]).rows() == [("eng.1", 1), ("eng.2", 3)]
    assert read_table_of(bucket, "strengths", ["eng"], ["strength"]).rows() == [(1,), (3,)]
    with pytest.raises(ObjectNotFound, match="materialize the asset 'nothing' first"):
        read_table_of(bucket, "nothing", ["eng"])


def test_an_object_of_the_whole_table_goes_once_the_table_has_partitions(bucket: Bucket) -> None:
    """An earlier version of the package wrote it."""
    write_table(bucket, "strengths", STRENGTHS)

    write_partitions(bucket, "strengths", {})
    assert read_table(bucket, "strengths").equals(STRENGTHS)

    write_by_country(bucket, "strengths", STRENGTHS)
    assert [item.name for item in table_objects(bucket, "strengths")] == [
        "tables/strengths/de.parquet",
        "tables/strengths/eng.parquet",
    ]
    assert bucket.stat(table_object("strengths")) is None


def test_the_partition_written_last_is_found(bucket: Bucket) -> None:
    write_by_country(bucket, "strengths", STRENGTHS)
    time.sleep(0.02)
    write_table(bucket, "strengths", STRENGTHS.head(0), "aa")

    assert latest_partition(bucket, "strengths") == "aa"
    with pytest.raises(ObjectNotFound, match="materialize the asset 'nothing' first"):
        latest_partition(bucket, "nothing")


def test_an_object_that_goes_while_a_table_is_read_is_named(tmp_path: Path) -> None:
    bucket = open_bucket(str(tmp_path / "bucket"))

    with pytest.raises(ObjectNotFound, match="tables/strengths/de.parquet"):
        read_table_object(bucket, "tables/strengths/de.parquet")


def test_an_optional_column_is_null_where_a_partition_lacks_it(bucket: Bucket) -> None:
    write_table(bucket, "odds", pl.DataFrame({"id": ["a"]}), "aa")
    read: dict[str, list[str]] = {"columns": ["id", "odds"], "optional": ["odds"]}
    assert read_table(bucket, "odds", **read).rows() == [("a", None)]
    assert read_table(bucket, "odds", **read).schema["odds"] == pl.Float64
    write_table(bucket, "odds", pl.DataFrame({"id": ["b"], "odds": [2.5]}), "bb")
    assert read_table(bucket, "odds", **read).rows() == [("a", None), ("b", 2.5)]
