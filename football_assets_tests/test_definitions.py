"""The code location: every stage is in it, and every asset and check links to its source."""

import importlib
import linecache
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey

from football_assets.definitions import ASSETS, CHECKS, build_definitions, defs
from football_assets.orchestration.source_links import CODE_REFERENCES
from football_assets.runtime.home import project_root
from football_assets.settings import Settings


def links() -> dict[AssetKey, list[Any]]:
    return {
        key: list(metadata[CODE_REFERENCES].code_references)
        for definition in defs.assets or ()
        for key, metadata in definition.metadata_by_key.items()  # type: ignore[union-attr]
    }


def test_every_asset_links_to_the_line_where_its_function_is_defined() -> None:
    keys = {key for definition in ASSETS for key in definition.keys}
    assert len(keys) >= 18
    assert links().keys() == keys

    for key, references in links().items():
        function = next(link for link in references if link.label is None and link.file_path.endswith(".py"))
        line = linecache.getline(function.file_path, function.line_number)
        assert Path(function.file_path).is_relative_to(Path(project_root()) / "football_assets"), key
        assert line.lstrip().startswith(("@", "def ")), (key, function)


def test_every_check_is_a_link_of_its_asset() -> None:
    for definition in CHECKS:
        for key in definition.check_keys:
            (link,) = (link for link in links()[key.asset_key] if link.label == f"check {key.name}")
            assert linecache.getline(link.file_path, link.line_number).startswith("@"), key


def test_the_first_link_of_a_dbt_asset_is_its_sql_file() -> None:
    first = {key.to_user_string(): references[0] for key, references in links().items()}
    models = Path(project_root()) / "dbt_features" / "models"

    assert {name: link.file_path for name, link in first.items() if link.file_path.endswith(".sql")} == {
        "stg_matches": str(models / "staging" / "stg_matches.sql"),
        "team_matches": str(models / "form" / "team_matches.sql"),
        "team_form": str(models / "form" / "team_form.sql"),
        "match_features": str(models / "form" / "match_features.sql"),
    }
    raw = first["raw_matches"]
    assert raw.file_path == str(Path(project_root()) / "football_assets" / "raw" / "assets.py")
    assert linecache.getline(raw.file_path, raw.line_number) == "@multi_asset(\n"


def test_the_repository_of_the_links_is_a_setting(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, git_url="https://github.com/owner/name", git_branch="v2")

    first = {
        key.to_user_string(): metadata[CODE_REFERENCES].code_references[0].url
        for definition in build_definitions(settings).assets or ()
        for key, metadata in definition.metadata_by_key.items()  # type: ignore[union-attr]
    }

    line = links()[AssetKey("raw_matches")][0].line_number
    repository = "https://github.com/owner/name/tree/v2"
    assert first["raw_matches"] == f"{repository}/football_assets/raw/assets.py#L{line}"
    assert first["stg_matches"] == f"{repository}/dbt_features/models/staging/stg_matches.sql"


@pytest.mark.parametrize("kind", ["assets", "checks"])
def test_the_assets_and_checks_of_every_stage_are_in_the_code_location(kind: str) -> None:
    root = Path(project_root())
    merged = {id(definition) for definition in (*ASSETS, *CHECKS)}

    for path in sorted((root / "football_assets").rglob(f"{kind}.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        for definition in getattr(importlib.import_module(name), kind, ()):
            assert id(definition) in merged, f"{name} has {definition}, which definitions.py leaves out"
