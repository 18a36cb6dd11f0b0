"""The seeds, which dbt loads and tests apart from the models."""

from pathlib import Path

import duckdb

from football_assets.features.dbt_project import load_manifest, project_folder
from football_assets_tests.builders.dbt_project import dbt_build

SEEDS = ("clubs", "leagues")


def test_dbt_loads_the_seeds_and_finds_nothing_wrong(tmp_path: Path) -> None:
    statuses = dbt_build(tmp_path, tmp_path, SEEDS)
    names = {unique_id.split(".")[2] for unique_id in statuses}
    assert {*SEEDS, "names_mean_one_club", "clubs_country_has_a_league"} <= names
    assert set(statuses.values()) == {"success", "pass"}


def test_dbt_finds_a_name_that_two_clubs_of_a_country_claim() -> None:
    test = (project_folder() / "tests" / "names_mean_one_club.sql").read_text()
    rows = "(values ('at', 'A', 'B; C'), ('at', 'D', 'E;C '), ('at', 'F', null), ('be', 'G', 'B'))"
    clubs = f"{rows} clubs(country, club, aliases)"
    assert duckdb.execute(test.replace("{{ ref('clubs') }}", clubs)).fetchall() == [("at", "C", 2)]


def test_no_model_reads_a_seed_so_that_none_is_an_asset() -> None:
    parents = load_manifest()["parent_map"]
    models = {name for name in parents if name.startswith("model.")}
    assert models
    assert not any(parent.startswith("seed.") for name in models for parent in parents[name])
