"""The home: its folders, its Dagster configuration, and the message when it cannot be used."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from football_assets.errors import FootballError
from football_assets.runtime import home
from football_assets.runtime.home import is_checkout, prepare_home, project_root


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
    copy = (settings.dagster_home / "dagster.yaml").read_bytes()
    assert copy.startswith(expected)
    assert yaml.safe_load(copy) == yaml.safe_load(expected)
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


def test_child_processes_inherit_the_keys_as_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOOTBALL_SIGNING_KEY", "own.pem")
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", "a.pem:/keys:b")
    monkeypatch.delenv("FOOTBALL_SIGSTORE_TRUST", raising=False)

    prepare_home(Path("relative"))

    assert os.environ["FOOTBALL_SIGNING_KEY"] == str(tmp_path / "own.pem")
    assert os.environ["FOOTBALL_VERIFY_KEYS"] == f"{tmp_path / 'a.pem'}:/keys:{tmp_path / 'b'}"
    assert "FOOTBALL_SIGSTORE_TRUST" not in os.environ


def test_without_an_argument_the_environment_names_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "named"))

    assert prepare_home().home == tmp_path / "named"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installed package, whose `dagster.yaml` a test may upgrade."""
    folder = tmp_path / "site-packages" / "football_assets"
    (folder / "project").mkdir(parents=True)
    (folder / "project" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setattr(home, "_PACKAGE", folder)
    return folder / "project"


def test_the_files_of_an_installed_package_are_inside_of_it(package: Path) -> None:
    assert project_root() == package
    assert not is_checkout()


def test_the_files_of_a_checkout_are_at_its_top() -> None:
    assert (project_root() / "pyproject.toml").is_file()
    assert (project_root() / "dbt_features" / "dbt_project.yml").is_file()
    assert is_checkout()


def test_an_upgrade_replaces_a_copy_of_the_configuration_once(tmp_path: Path, package: Path) -> None:
    copy = prepare_home(tmp_path / "home").dagster_home / "dagster.yaml"
    written = copy.stat().st_mtime_ns
    prepare_home(tmp_path / "home")
    assert copy.stat().st_mtime_ns == written

    (package / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
    prepare_home(tmp_path / "home")

    assert yaml.safe_load(copy.read_text()) == {"telemetry": {"enabled": False}, "nux": {"enabled": False}}


@pytest.mark.parametrize(
    "edit", [lambda copy: copy + "\npython_logs: {}\n", lambda _: "nux: {enabled: true}\n"]
)
def test_an_upgrade_keeps_a_configuration_that_a_team_has_edited_or_brought(
    tmp_path: Path, package: Path, edit: Callable[[str], str]
) -> None:
    copy = prepare_home(tmp_path / "home").dagster_home / "dagster.yaml"
    edited = edit(copy.read_text())
    copy.write_text(edited)
    (package / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")

    prepare_home(tmp_path / "home")

    assert copy.read_text() == edited


def test_a_dagster_home_of_a_team_is_used_and_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = tmp_path / "team"
    team.mkdir()
    (team / "dagster.yaml").write_text("nux: {enabled: true}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(team))

    for home_folder in ("first", "second"):
        prepare_home(tmp_path / home_folder, for_runs=True)

    assert os.environ["DAGSTER_HOME"] == str(team)
    assert [file.name for file in team.iterdir()] == ["dagster.yaml"]
    assert (team / "dagster.yaml").read_text() == "nux: {enabled: true}\n"
    assert not (tmp_path / "first" / "dagster").exists()


def test_a_dagster_home_without_a_configuration_gets_one_without_telemetry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))

    prepare_home(tmp_path / "home")

    assert yaml.safe_load((tmp_path / "dagster.yaml").read_text())["telemetry"] == {"enabled": False}


def test_another_home_of_the_same_process_has_a_dagster_home_of_its_own(tmp_path: Path) -> None:
    prepare_home(tmp_path / "first")
    prepare_home(tmp_path / "second")

    assert os.environ["DAGSTER_HOME"] == str(tmp_path / "second" / "dagster")


def test_a_dagster_home_that_does_not_exist_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "missing"))

    with pytest.raises(FootballError, match="^DAGSTER_HOME .*missing is not a folder"):
        prepare_home(tmp_path / "home")


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


@pytest.mark.parametrize(
    ("variable", "value"),
    [("WEBHOOK_URL", "hooks.example.org/T0/secret"), ("API_KEY", "secret"), ("API_KEYS", "secret")],
)
def test_the_value_of_a_secret_variable_is_in_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"FOOTBALL_{variable}", value)
    with pytest.raises(FootballError, match=f"FOOTBALL_{variable} is not usable: ") as error:
        prepare_home(tmp_path)
    assert "secret" not in str(error.value)
