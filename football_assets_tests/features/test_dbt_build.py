"""Building models outside Dagster: what fails, and what is left in the bucket then."""

from pathlib import Path

import polars as pl
import pytest

from football_assets.errors import ObjectNotFound
from football_assets.features import dbt_build
from football_assets.features.dbt_build import ModelsNotBuilt, build_features
from football_assets.features.dbt_project import DbtFailed
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table, table_object
from football_assets_tests.builders.tables import write_by_country
from football_assets_tests.builders.worlds import in_country, simulated_country


def test_a_failed_test_stops_the_models_after_it(tmp_path: Path) -> None:
    bucket = open_bucket(str(tmp_path / "it's a bucket"))
    rows = simulated_country(seasons=2, teams=6)
    countries = write_by_country(bucket, "raw_matches", pl.concat([rows, rows.head(3)]))
    lines: list[str] = []
    with pytest.raises(
        ModelsNotBuilt, match=r"did not build team_matches: .*unique_stg_matches_match_id"
    ) as caught:
        build_features(bucket, ["stg_matches", "team_matches"], countries, tmp_path / "scratch", lines.append)
    results = {result.name: result for result in caught.value.results}
    assert results["stg_matches"].passed
    assert results["unique_stg_matches_match_id"].failures == 3
    assert results["team_matches"].status == "skipped"
    assert read_table(bucket, "stg_matches").height == rows.height + 3
    with pytest.raises(ObjectNotFound):
        read_table(bucket, "team_matches")
    assert any("unique_stg_matches_match_id" in line for line in lines)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_rows_without_a_value_are_counted_once_whatever_they_lack(tmp_path: Path) -> None:
    bucket = open_bucket(str(tmp_path / "bucket"))
    rows = simulated_country(seasons=1, teams=4).with_row_index("number")
    lacking = rows.with_columns(
        season=pl.when(pl.col("number") > 2).then("season"),
        home_team=pl.when(pl.col("number") > 1).then("home_team"),
    )
    countries = write_by_country(bucket, "raw_matches", lacking.drop("number"))
    built = build_features(bucket, ["stg_matches"], countries, tmp_path / "scratch")
    failed = {result.name: result.failures for result in built.results if not result.passed}
    assert failed == {"stg_matches_never_null": 3}


def test_duckdb_gets_memory_by_the_rows_that_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dbt_build.ROWS_A_GIGABYTE >= 10**6
    monkeypatch.setattr(dbt_build, "ROWS_A_GIGABYTE", 10)
    for name, rows in (("a", 17), ("b", 14), ("c", 3)):
        pl.DataFrame({"row": range(rows)}).write_parquet(tmp_path / name)

    assert dbt_build.memory_limit([tmp_path / "a", tmp_path / "b", tmp_path / "c"]) == "3GB"
    assert dbt_build.memory_limit([tmp_path / "c"]) == "1GB"


def test_a_missing_input_is_named_with_its_country(tmp_path: Path) -> None:
    bucket = open_bucket(str(tmp_path / "bucket"))
    write_by_country(bucket, "raw_matches", simulated_country("aa", seasons=1, teams=4))
    with pytest.raises(ObjectNotFound, match="materialize the asset 'raw_matches' of 'bb' first"):
        build_features(bucket, ["stg_matches"], ["aa", "bb"], tmp_path / "scratch")


def test_models_that_are_not_built_are_read_from_the_bucket(tmp_path: Path) -> None:
    bucket = open_bucket(str(tmp_path / "bucket"))
    countries = write_by_country(bucket, "raw_matches", simulated_country("aa", seasons=1, teams=4))
    build_features(bucket, ["stg_matches"], countries, tmp_path / "scratch")
    staged = read_table(bucket, "stg_matches")
    played = staged.with_columns(is_played=False)
    write_by_country(bucket, "stg_matches", played)
    built = build_features(bucket, ["team_matches"], countries, tmp_path / "scratch")
    assert [result.name for result in built.results if result.is_model] == ["team_matches"]
    assert not read_table(bucket, "team_matches")["is_played"].any()


def test_other_countries_stay_as_they_are(tmp_path: Path) -> None:
    bucket = open_bucket(str(tmp_path / "bucket"))
    world = simulated_country("aa", seasons=1, teams=4)
    write_by_country(bucket, "raw_matches", pl.concat([world, in_country(world, "bb")]))
    build_features(bucket, ["stg_matches"], ["aa", "bb"], tmp_path / "scratch")
    write_by_country(bucket, "raw_matches", world.clear(), ["aa", "bb"])
    build_features(bucket, ["stg_matches"], ["bb"], tmp_path / "scratch")
    assert read_table(bucket, "stg_matches")["country"].unique().to_list() == ["aa"]
    assert bucket.stat(table_object("stg_matches", "bb")) is not None


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(DbtFailed, match="team_moods: no such model"):
        build_features(open_bucket(str(tmp_path / "bucket")), ["team_moods"], [], tmp_path / "scratch")
