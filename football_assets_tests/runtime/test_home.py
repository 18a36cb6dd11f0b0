"""The home: its folders, its Dagster configuration, and the message when it cannot be used."""

import os
from pathlib import Path

import pytest

from football_assets.errors import FootballError
from football_assets.runtime.home import prepare_home, project_root


@pytest.fixture(autouse=True)
def _environment_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("FOOTBALL_HOME", "DAGSTER_HOME", "FOOTBALL_BUCKET"):
        monkeypatch.setenv(variable, "to be restored")
        monkeypatch.delenv(variable)


def test_a_new_home_has_its_folders_and_the_projects_dagster_configuration(tmp_path: Path) -> None:
    settings = prepare_home(tmp_path / "new" / "home")

    assert {folder.name for folder in (tmp_path / "new" / "home").iterdir()} == {
        "bucket",
        "dagster",
        "scratch",
    }
    expected = (project_root() / "dagster.yaml").read_bytes()
    assert (settings.dagster_home / "dagster.yaml").read_bytes() == expected
    assert settings.bucket_url == str(tmp_path / "new" / "home" / "bucket")


def test_child_processes_inherit_the_home_as_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    prepare_home(Path("relative"))

    assert os.environ["FOOTBALL_HOME"] == str(tmp_path / "relative")
    assert os.environ["DAGSTER_HOME"] == str(tmp_path / "relative" / "dagster")


def test_child_processes_inherit_the_bucket_as_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOOTBALL_BUCKET", "matches")

    prepare_home(Path("relative"))

    assert os.environ["FOOTBALL_BUCKET"] == str(tmp_path / "matches")


def test_without_an_argument_the_environment_names_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "named"))

    assert prepare_home().home == tmp_path / "named"


def test_an_outdated_dagster_configuration_is_replaced_and_a_current_one_is_left_alone(
    tmp_path: Path,
) -> None:
    configuration = prepare_home(tmp_path).dagster_home / "dagster.yaml"
    written = configuration.stat().st_mtime_ns
    prepare_home(tmp_path)
    assert configuration.stat().st_mtime_ns == written

    configuration.write_text("telemetry: {enabled: true}\n")
    prepare_home(tmp_path)
    assert configuration.read_bytes() == (project_root() / "dagster.yaml").read_bytes()


def test_a_home_that_is_a_file_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(FootballError, match=r"Home .*file cannot be used: .* Name another with --home"):
        prepare_home(tmp_path / "file")


def test_a_setting_that_is_no_number_is_refused_by_its_variables_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_PORT", "many")

    with pytest.raises(FootballError, match="FOOTBALL_PORT=many is not usable"):
        prepare_home(tmp_path)


def test_a_bucket_below_the_folder_of_an_unknown_user_is_refused_by_its_variables_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_BUCKET", "~nobody-of-this-name/bucket")
    with pytest.raises(FootballError, match="^FOOTBALL_BUCKET ~nobody-of-this-name/bucket cannot be used: "):
        prepare_home(tmp_path)
