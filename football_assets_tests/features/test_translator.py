"""What a person sees in Dagster of a dbt model: key, group, owners, kinds, description."""

from typing import Any

import pytest
from dagster import AssetKey, AssetSpec

from football_assets.features.dbt_project import load_manifest
from football_assets.features.translator import FeatureTranslator

# Upstream assets of each model.
INPUTS = {
    "stg_matches": {"raw_matches"},
    "team_matches": {"stg_matches"},
    "team_form": {"team_matches"},
    "match_features": {"stg_matches", "team_matches", "team_form", "team_ratings"},
}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return dict(load_manifest())


def spec_of(manifest: dict[str, Any], model: str) -> AssetSpec:
    return FeatureTranslator().get_asset_spec(manifest, f"model.football_features.{model}", None)


@pytest.mark.parametrize("model", INPUTS)
def test_a_model_is_the_asset_of_its_table(manifest: dict[str, Any], model: str) -> None:
    spec = spec_of(manifest, model)

    assert spec.key == AssetKey([model])
    assert {dep.asset_key for dep in spec.deps} == {AssetKey([name]) for name in INPUTS[model]}
    assert spec.group_name == "features"
    assert list(spec.owners) == ["team:forecasting"]
    assert spec.kinds == {"dbt", "duckdb"}


@pytest.mark.parametrize("model", INPUTS)
def test_the_description_is_that_of_the_dbt_project_without_sql(manifest: dict[str, Any], model: str) -> None:
    written = manifest["nodes"][f"model.football_features.{model}"]["description"]

    assert spec_of(manifest, model).description == written
    assert written.startswith("One row per ")
    assert "select" not in written


def test_a_consumer_reads_the_table_from_the_bucket(manifest: dict[str, Any]) -> None:
    assert spec_of(manifest, "team_form").metadata["dagster/io_manager_key"] == "tables"


def test_the_columns_and_the_place_in_the_dbt_project_stay_known(manifest: dict[str, Any]) -> None:
    metadata = spec_of(manifest, "team_matches").metadata

    assert metadata["dagster_dbt/unique_id"] == "model.football_features.team_matches"
    columns = {column.name: column.description for column in metadata["dagster/column_schema"].columns}
    described = manifest["nodes"]["model.football_features.team_matches"]["columns"]
    assert columns == {name: column["description"] for name, column in described.items()}


def test_a_source_is_the_asset_that_writes_its_table(manifest: dict[str, Any]) -> None:
    keys = {
        unique_id: FeatureTranslator().get_asset_key(source)
        for unique_id, source in manifest["sources"].items()
    }

    assert keys == {
        "source.football_features.bucket.raw_matches": AssetKey(["raw_matches"]),
        "source.football_features.bucket.team_ratings": AssetKey(["team_ratings"]),
    }


def test_neither_a_schema_nor_the_name_of_the_source_is_part_of_a_key() -> None:
    model = {"name": "team_form", "config": {"schema": "form"}, "resource_type": "model"}
    source = {"name": "raw_matches", "source_name": "bucket", "config": {}, "resource_type": "source"}

    assert FeatureTranslator().get_asset_key(model) == AssetKey(["team_form"])
    assert FeatureTranslator().get_asset_key(source) == AssetKey(["raw_matches"])
