"""What the checks of `fixture_predictions` find and what they say, on forecasts written by hand."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster import AssetCheckResult, AssetCheckSeverity, AssetKey, AssetSelection

from football_assets.errors import ObjectNotFound
from football_assets.forecasting.assets import assets
from football_assets.forecasting.checks import (
    checks,
    every_fixture_has_a_forecast,
    forecasts_are_probabilities,
)
from football_assets.orchestration.metadata import PREVIEW_ROWS
from football_assets.orchestration.resources import BucketResource
from football_assets.registry.store import ALIASES_OBJECT, Registry
from football_assets.storage.tables import read_table, write_table
from football_assets_tests.builders.registry_graph import World, evaluations

FORECASTS = pl.DataFrame(
    {
        "match_id": ["a", "b"],
        "p_home": [0.5, 0.2],
        "p_draw": [0.3, 0.3],
        "p_away": [0.2, 0.5],
        "xg_home": [1.6, 0.9],
        "xg_away": [1.1, 1.5],
        "model_version": [1, 1],
    },
    schema_overrides={"model_version": pl.Int64},
)
MATCHES = pl.DataFrame(
    {
        "match_id": ["a", "b", "c"],
        "league_id": ["eng.1", "es.1", "es.1"],
        "season": ["2025-26", "2025-26", "2025-26"],  # not shown
        "kickoff_date": [date(2026, 5, 9), date(2026, 5, 10), date(2026, 5, 2)],
        "home_team": ["Arsenal", "Betis", "Betis"],
        "away_team": ["Everton", "Getafe", "Girona"],
        "is_played": [False, False, True],
    }
)


@pytest.fixture
def bucket(tmp_path: Path) -> BucketResource:
    """A bucket with version 1 in production, two matches without a result and one with."""
    bucket = BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))
    registry = Registry(bucket.open())
    for number in (1, 2):
        bundle = tmp_path / f"bundle{number}"
        bundle.mkdir()
        (bundle / "metrics.json").write_text(str(number))
        assert registry.publish(bundle, {}) == number
    registry.promote(1)
    write_table(bucket.open(), "stg_matches", MATCHES)
    return bucket


def of_probabilities(forecasts: pl.DataFrame) -> tuple[bool, dict[str, Any]]:
    """Whether the check of the figures passed, and its metadata."""
    return _outcome(forecasts_are_probabilities(forecasts))


def of_fixtures(forecasts: pl.DataFrame, bucket: BucketResource) -> tuple[bool, dict[str, Any]]:
    """Whether the check of the matches passed, and its metadata."""
    return _outcome(every_fixture_has_a_forecast(forecasts, bucket))


def _outcome(result: Any) -> tuple[bool, dict[str, Any]]:
    assert isinstance(result, AssetCheckResult)
    assert result.severity is AssetCheckSeverity.ERROR
    return result.passed, {name: value.value for name, value in result.metadata.items()}


def test_both_are_checks_of_the_forecasts_and_described() -> None:
    specs = {spec.name: spec for check in checks for spec in check.check_specs}

    assert {name: spec.asset_key for name, spec in specs.items()} == {
        "forecasts_are_probabilities": AssetKey("fixture_predictions"),
        "every_fixture_has_a_forecast": AssetKey("fixture_predictions"),
    }
    assert specs["every_fixture_has_a_forecast"].description == (
        "Every match without a result has exactly one forecast, by the version in production."
    )


def test_probabilities_that_sum_to_one_pass() -> None:
    assert of_probabilities(FORECASTS) == (True, {"rows": 2, "broken": 0, "examples": "None."})
    assert of_probabilities(FORECASTS.clear()) == (True, {"rows": 0, "broken": 0, "examples": "None."})


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("p_home", 0.5),
        ("p_draw", -0.1),
        ("p_away", None),
        ("xg_home", 0.0),
        ("xg_away", float("inf")),
    ],
)
def test_a_broken_forecast_fails_and_is_shown(column: str, value: float | None) -> None:
    is_second = pl.col("match_id") == "b"
    broken = FORECASTS.select("match_id", "p_home", "p_draw", "p_away", "xg_home", "xg_away").with_columns(
        pl.when(is_second).then(pl.lit(value, pl.Float64)).otherwise(column).alias(column)
    )

    passed, shown = of_probabilities(broken)

    assert not passed
    assert (shown["rows"], shown["broken"]) == (2, 1)
    header, rule, row = shown["examples"].splitlines()
    assert header == "| match_id | p_home | p_draw | p_away | xg_home | xg_away |"
    assert rule == "| --- | --- | --- | --- | --- | --- |"
    assert row.startswith("| b | ")
    assert row.split(" | ")[broken.columns.index(column)].strip("| ") == ("" if value is None else str(value))


def test_no_more_than_a_few_broken_forecasts_are_shown() -> None:
    many = pl.concat([FORECASTS] * PREVIEW_ROWS).with_columns(p_home=pl.lit(2.0))

    passed, shown = of_probabilities(many)

    assert not passed
    assert (shown["rows"], shown["broken"]) == (2 * PREVIEW_ROWS, 2 * PREVIEW_ROWS)
    assert len(shown["examples"].splitlines()) == 2 + PREVIEW_ROWS


def test_one_forecast_a_fixture_by_the_production_version_passes(bucket: BucketResource) -> None:
    assert of_fixtures(FORECASTS, bucket) == (
        True,
        {"forecasts": 2, "missing": 0, "model_versions": "1", "examples": "None."},
    )


def test_a_fixture_without_a_forecast_fails_and_is_shown(bucket: BucketResource) -> None:
    passed, shown = of_fixtures(FORECASTS.head(1), bucket)

    assert not passed
    assert shown == {
        "forecasts": 1,
        "missing": 1,
        "model_versions": "1",
        "examples": "| match_id | league_id | kickoff_date | home_team | away_team | is_played |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| b | es.1 | 2026-05-10 | Betis | Getafe | false |",
    }


def test_a_second_forecast_of_a_fixture_fails(bucket: BucketResource) -> None:
    passed, shown = of_fixtures(pl.concat([FORECASTS, FORECASTS.head(1)]), bucket)

    assert not passed
    assert (shown["forecasts"], shown["missing"]) == (3, 0)


def test_forecasts_of_an_earlier_version_fail_until_they_are_rebuilt(bucket: BucketResource) -> None:
    Registry(bucket.open()).promote(2)

    assert of_fixtures(FORECASTS, bucket) == (
        False,
        {"forecasts": 2, "missing": 0, "model_versions": "1", "examples": "None."},
    )
    assert of_fixtures(FORECASTS.with_columns(model_version=pl.lit(2)), bucket)[0]


def test_forecasts_of_two_versions_fail(bucket: BucketResource) -> None:
    passed, shown = of_fixtures(FORECASTS.with_columns(model_version=pl.Series([1, 2])), bucket)

    assert not passed
    assert sorted(shown["model_versions"].split(", ")) == ["1", "2"]


def test_without_a_production_version_forecasts_fail_and_none_pass(bucket: BucketResource) -> None:
    store = bucket.open()
    store.delete(ALIASES_OBJECT)

    assert not of_fixtures(FORECASTS, bucket)[0]

    write_table(store, "stg_matches", MATCHES.filter("is_played"))
    assert of_fixtures(FORECASTS.clear(), bucket) == (
        True,
        {"forecasts": 0, "missing": 0, "model_versions": "", "examples": "None."},
    )


def test_no_more_than_a_few_missing_fixtures_are_shown(bucket: BucketResource) -> None:
    many = (
        pl.concat([MATCHES.head(1)] * (PREVIEW_ROWS + 1))
        .with_row_index()
        .with_columns(match_id=pl.format("m{}", "index"))
    )
    write_table(bucket.open(), "stg_matches", many)

    _, shown = of_fixtures(FORECASTS, bucket)

    assert shown["missing"] == PREVIEW_ROWS + 1
    assert len(shown["examples"].splitlines()) == 2 + PREVIEW_ROWS


def test_without_the_table_of_matches_the_check_says_what_to_materialize(bucket: BucketResource) -> None:
    bucket.open().delete("tables/stg_matches.parquet")

    with pytest.raises(ObjectNotFound, match="materialize the asset 'stg_matches' first"):
        of_fixtures(FORECASTS, bucket)


def test_missing_stale_and_broken_forecasts_fail_the_checks(world: World, bundle: Path) -> None:
    world.registry.promote(world.registry.publish(bundle, {}))
    world.run(assets)
    table = read_table(world.bucket, "fixture_predictions")

    def passed(frame: pl.DataFrame) -> tuple[bool, bool]:
        write_table(world.bucket, "fixture_predictions", frame)
        found = evaluations(world.run([*assets, *checks], selection=AssetSelection.all_asset_checks()))
        return found["forecasts_are_probabilities"].passed, found["every_fixture_has_a_forecast"].passed

    assert passed(table) == (True, True)
    assert passed(table.head(5)) == (True, False)
    assert passed(pl.concat([table, table.head(1)])) == (True, False)
    assert passed(table.with_columns(model_version=pl.lit(9))) == (True, False)
    assert passed(table.with_columns(p_home=pl.col("p_home") + 0.1)) == (False, True)
