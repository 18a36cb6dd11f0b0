"""`fixture_predictions` and its checks as Dagster runs on the simulated world."""

from pathlib import Path

import pytest

from football_assets.errors import RegistryError
from football_assets.forecasting.assets import assets
from football_assets.forecasting.checks import checks
from football_assets.storage.tables import read_table
from football_assets_tests.builders.registry_graph import World, evaluations, metadata


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
