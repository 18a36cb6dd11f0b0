"""`fixture_predictions` and its checks as Dagster runs on the simulated world."""

from pathlib import Path

import polars as pl
import pytest
from dagster import AssetSelection

from football_assets.errors import RegistryError
from football_assets.forecasting.assets import assets
from football_assets.forecasting.checks import checks
from football_assets.storage.tables import read_table, write_table
from football_assets_tests.builders.registry_graph import World, evaluations, make_world, metadata, simulate


@pytest.fixture
def world(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path / "home", simulate(tmp_path_factory.getbasetemp() / "simulated"))


def test_fixtures_are_forecast_by_the_production_version_and_shown(world: World, bundle: Path) -> None:
    world.registry.promote(world.registry.publish(bundle, {}))
    result = world.run([*assets, *checks])
    table = read_table(world.bucket, "fixture_predictions")
    assert table.height == 6
    assert table["model_version"].unique().to_list() == [1]
    shown = metadata(result, "fixture_predictions")
    assert shown["model_version"] == 1
    assert shown["next_fixtures"].startswith("### Premier League")
    assert shown["first_kickoff"] == str(table["kickoff_date"].min())
    assert {name: item.passed for name, item in evaluations(result).items()} == {
        "forecasts_are_probabilities": True,
        "every_fixture_has_a_forecast": True,
    }


def test_without_a_production_model_the_run_fails_with_the_reason(world: World) -> None:
    with pytest.raises(RegistryError, match="No model is registered yet"):
        world.run(assets)


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
