"""The manifest is compiled when it is missing or the project has changed, and then only once."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from football_assets.features import dbt_project
from football_assets.features.dbt_project import DbtFailed, compiled_project, load_manifest

MODEL = "model.football_features.team_form"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the dbt project, not yet compiled."""
    source = dbt_project.project_folder()
    folder = tmp_path / "dbt_features"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setattr(dbt_project, "project_folder", lambda: folder)
    return folder


def test_a_manifest_is_compiled_once_until_the_project_changes(project: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: compiled_project() / "manifest.json", range(2))
    assert first == second
    parsed = first.stat()
    model = load_manifest()["nodes"][MODEL]
    assert model["description"].startswith("One row a team and played match")
    assert '"features"."main"."team_matches"' in model["compiled_code"]
    assert first.stat().st_mtime_ns == parsed.st_mtime_ns
    assert [path.name for path in (project / "target").iterdir() if path.is_dir()] == []

    (project / "models" / "form" / "team_form.sql").write_text("select * from {{ ref('team_moods') }}")
    with pytest.raises(DbtFailed, match="team_moods"):
        load_manifest()


def test_a_read_only_project_is_compiled_elsewhere(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (project / "target").write_text("a file where a folder is needed, as root may write anywhere")
    folder = dbt_project._writable(project / "target")
    assert folder.parent == tmp_path
    assert folder.is_dir()
