"""The project is parsed once until it changes; by hand it works on a local bucket and builds what the graph builds."""

import json
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from football_assets.features import dbt_project
from football_assets.features.dbt_project import DbtFailed, load_manifest, parsed_project
from football_assets.features.schedule import ROW_ORDER
from football_assets.storage.local import LocalBucket
from football_assets.storage.tables import read_table
from football_assets_tests.builders.dbt_project import dbt, dbt_build
from football_assets_tests.builders.worlds import build_tables, in_country, simulated_country

MODEL = "model.football_features.team_form"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the dbt project, not yet parsed."""
    source = dbt_project.project_folder()
    folder = tmp_path / "dbt_features"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setattr(dbt_project, "project_folder", lambda: folder)
    return folder


def test_a_project_is_parsed_once_until_it_changes(project: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: parsed_project() / "manifest.json", range(2))
    assert first == second
    parsed = first.stat()
    model = load_manifest()["nodes"][MODEL]
    assert model["description"].startswith("One row per team and played match")
    assert model["depends_on"]["nodes"] == ["model.football_features.team_matches"]
    assert first.stat().st_mtime_ns == parsed.st_mtime_ns
    assert [path.name for path in (project / "target").iterdir() if path.is_dir()] == []

    (project / "models" / "form" / "team_form.sql").write_text("select * from {{ ref('team_moods') }}")
    with pytest.raises(DbtFailed, match="team_moods"):
        load_manifest()


def test_a_changed_test_keeps_its_properties(project: Path) -> None:
    """dbt's partial parsing loses the properties of a test whose SQL has changed: it would be no check of its table."""
    name = "team_plays_once_a_day"
    test = project / "tests" / f"{name}.sql"
    unique_id = f"test.football_features.{name}"
    before = load_manifest()["nodes"][unique_id]
    assert before["config"]["meta"] == {"dagster": {"ref": {"name": "team_matches"}}}

    test.write_text(f"{test.read_text()}\n-- changed\n")
    after = load_manifest()["nodes"][unique_id]

    assert after["raw_code"].endswith("-- changed")
    assert after["config"] == before["config"]


def test_a_read_only_project_is_parsed_elsewhere(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (project / "target").write_text("a file where a folder is needed, as root may write anywhere")
    folder = dbt_project._writable(project / "target")
    assert folder.parent == tmp_path
    assert folder.is_dir()


MODELS = ("stg_matches", "team_matches", "team_form", "match_features")


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> LocalBucket:
    """Two countries, built as the graph builds them."""
    folder = tmp_path_factory.mktemp("by_hand")
    bucket = LocalBucket(folder / "bucket")
    world = simulated_country("aa", seasons=2, teams=6, unplayed_rounds=2)
    build_tables(bucket, pl.concat([world, in_country(world, "bb")]), folder / "scratch")
    return bucket


def test_a_build_by_hand_gives_the_tables_of_the_graph(bucket: LocalBucket, tmp_path: Path) -> None:
    statuses = dbt_build(tmp_path, bucket.root / "tables", MODELS)

    assert len(statuses) > 15
    assert set(statuses.values()) == {"success", "pass"}
    with duckdb.connect(str(tmp_path / "features.duckdb"), read_only=True) as connection:
        for model in MODELS:
            rows = connection.sql(f"select * from {model}").pl()
            order = ["country", *(name for name in ROW_ORDER if name in rows.columns)]
            table = read_table(bucket, model)
            key = pl.col("league_id").str.split(".").list.first().alias("country")
            assert_frame_equal(rows.with_columns(key).sort(order), table.with_columns(key).sort(order))


def test_a_model_is_shown_and_the_docs_are_generated(bucket: LocalBucket, tmp_path: Path) -> None:
    tables = bucket.root / "tables"
    dbt_build(tmp_path, tables, MODELS)

    shown = dbt(tmp_path, tables, "show", "--select", "stg_matches", "--limit", "3", "--output", "json")
    assert shown.count('"match_id"') == 3

    dbt(tmp_path, tables, "docs", "generate")
    catalog = json.loads((tmp_path / "catalog.json").read_text())
    columns = catalog["nodes"]["model.football_features.stg_matches"]["columns"]
    assert {"match_id", "kickoff_date", "home_goals"} <= set(columns)


def test_a_broken_rule_is_found_and_stops_the_models_after_it(bucket: LocalBucket, tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    rows = pl.concat([read_table(bucket, "raw_matches"), read_table(bucket, "raw_matches").head(1)])
    (tables / "raw_matches").mkdir(parents=True)
    rows.write_parquet(tables / "raw_matches" / "aa.parquet")

    statuses = dbt_build(tmp_path, tables, ["stg_matches", "team_matches"])

    of_name = {unique_id.split(".")[2]: status for unique_id, status in statuses.items()}
    assert of_name["unique_stg_matches_match_id"] == "fail"
    assert of_name["stg_matches"] == "success"
    assert of_name["team_matches"] == "skipped"
