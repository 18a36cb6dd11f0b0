"""Running what dbt compiled gives what dbt gives: tables, statuses, and what a broken rule keeps from being built."""

from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from football_assets.features.dbt_project import load_manifest
from football_assets.features.dbt_run import NodeResult, build_nodes, check_nodes, data_tests_of
from football_assets.features.ratings import rate_matches
from football_assets_tests.builders.dbt_project import dbt_build
from football_assets_tests.builders.worlds import simulated_country

MODELS = ("match_features", "team_form", "stg_matches", "team_matches")
IN_ORDER = ["stg_matches", "team_matches", "team_form", "match_features"]


def database(path: Path, raw: pl.DataFrame, ratings: pl.DataFrame | None = None) -> Path:
    """A database that holds the tables which the models read."""
    path.parent.mkdir(parents=True)
    with duckdb.connect(str(path)) as connection:
        for name, frame in {"raw_matches": raw, "team_ratings": ratings}.items():
            if frame is not None:
                connection.register("landed", frame)
                connection.execute(f"create table {name} as select * from landed")
    return path


def ratings_of(raw: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The ratings of the teams, by way of a database of its own."""
    build(database(path, raw), ("stg_matches",))
    return rate_matches(table(path, "stg_matches"))


def table(path: Path, name: str) -> pl.DataFrame:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.sql(f"select * from {name}").pl()


def build(path: Path, models: tuple[str, ...] = MODELS) -> dict[str, NodeResult]:
    lines: list[str] = []
    with duckdb.connect(str(path)) as connection:
        results = build_nodes(connection, load_manifest(), models, lines.append)
    assert len(lines) == len(results)
    return {result.unique_id: result for result in results}


@pytest.mark.parametrize(
    ("rows_twice", "ratings_lost", "built_in_order"),
    [
        (0, 0, IN_ORDER),
        (3, 0, IN_ORDER[:1]),  # a test of the first model fails
        (0, 4, IN_ORDER),  # a test of the last model fails
    ],
)
def test_tables_and_statuses_are_those_of_dbt(
    tmp_path: Path, rows_twice: int, ratings_lost: int, built_in_order: list[str]
) -> None:
    world = simulated_country(seasons=2, teams=6)
    raw = pl.concat([world, world.head(rows_twice)])
    ratings = ratings_of(world, tmp_path / "ratings" / "features.duckdb")[ratings_lost:]
    theirs = database(tmp_path / "dbt" / "features.duckdb", raw, ratings)
    ours = database(tmp_path / "own" / "features.duckdb", raw, ratings)

    expected = dbt_build(theirs, MODELS)
    found = build(ours)

    assert {unique_id: result.status for unique_id, result in found.items()} == expected
    assert ("skipped" in expected.values()) is bool(rows_twice)
    assert ("fail" in expected.values()) is bool(rows_twice or ratings_lost)
    built = [result.name for result in found.values() if result.is_model and result.passed]
    assert built == built_in_order
    for name in built:
        assert table(ours, name).height > 0
        assert_frame_equal(table(ours, name), table(theirs, name), check_exact=True, check_row_order=False)


def test_a_model_that_breaks_its_contract_is_not_built(tmp_path: Path) -> None:
    raw = simulated_country(seasons=1, teams=4).with_columns(pl.col("home_goals").cast(pl.Int64))
    path = database(tmp_path / "own" / "features.duckdb", raw)

    results = {result.name: result for result in build(path).values()}

    assert results["stg_matches"].status == "error"
    assert results["stg_matches"].message == "It breaks its contract: home_goals is BIGINT, not SMALLINT"
    assert {result.status for name, result in results.items() if name != "stg_matches"} == {"skipped"}


def test_a_query_that_fails_is_told_in_a_line(tmp_path: Path) -> None:
    path = database(tmp_path / "own" / "features.duckdb", pl.DataFrame({"match_id": ["a"]}))

    results = {result.name: result for result in build(path, ("stg_matches",)).values()}

    assert results["stg_matches"].status == "error"
    assert "league_id" in results["stg_matches"].message
    assert "\n" not in results["stg_matches"].message


def test_tests_alone_say_how_many_rows_break_a_rule(tmp_path: Path) -> None:
    raw = simulated_country(seasons=1, teams=4)
    path = database(tmp_path / "own" / "features.duckdb", raw)
    build(path, ("stg_matches",))
    of_first = raw.filter(pl.col("home_team") == pl.col("home_team").min())
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "update stg_matches set season = null where home_team = (select min(home_team) from stg_matches)"
        )
        results = check_nodes(connection, load_manifest(), ["stg_matches"], lambda _: None)

    failed = {result.name: result.failures for result in results if not result.passed}
    assert failed == {"stg_matches_never_null": len(of_first)}


def test_a_test_that_reads_a_later_model_waits_for_it() -> None:
    manifest = load_manifest()
    names = {test["name"] for test in data_tests_of(manifest, ["stg_matches"])}
    assert "unique_stg_matches_match_id" in names
    assert "team_matches_match_is_staged" not in names
    assert "team_matches_match_is_staged" in {
        test["name"] for test in data_tests_of(manifest, ["team_matches"])
    }
