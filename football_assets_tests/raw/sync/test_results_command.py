"""The `football sync` command."""

from pathlib import Path

import pytest

from football_assets.cli import main
from football_assets.raw.sync.sources import SOURCES
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.source_server import SourceServer
from football_assets_tests.raw.sync.test_results import CONTENT, KINDS, openfootball

SEASON = "2025-26"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, source: SourceServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    for name in SOURCES:
        monkeypatch.setenv(f"FOOTBALL_{name.upper().replace('-', '_')}_URL", source.address)
    return tmp_path / "home"


@pytest.mark.parametrize(("name", "path", "object_name"), KINDS)
def test_syncing_lands_a_sources_files_and_shows_what_became_of_each(
    home: Path,
    source: SourceServer,
    capsys: pytest.CaptureFixture[str],
    name: str,
    path: str,
    object_name: str,
) -> None:
    source.files[path] = CONTENT[name](8)
    assert main(["sync", name, "--season", SEASON, "--league", "eng.1"]) == 0
    shown = capsys.readouterr()
    assert "1 files requested: 1 new." in shown.out
    assert shown.err == f"new       {source.address}{path}\n"
    assert open_bucket(str(home / "bucket")).read(object_name) == CONTENT[name](8)
    assert main(["sync", name, "--season", SEASON, "--league", "eng.1"]) == 0
    assert "1 files requested: 1 unchanged." in capsys.readouterr().out


def test_seasons_may_be_repeated_and_missing_files_are_no_error(
    source: SourceServer, capsys: pytest.CaptureFixture[str]
) -> None:
    source.files[f"/{SEASON}/en.1.json"] = openfootball(8)
    arguments = ["--season", "2024-25", "--season", SEASON, "--league", "eng.1"]
    assert main(["sync", "openfootball", *arguments]) == 0
    assert "2 files requested: 1 new, 1 missing." in capsys.readouterr().out
    assert source.paths == ["/2024-25/en.1.json", f"/{SEASON}/en.1.json"]


def test_a_refused_file_is_exit_code_1_with_its_reason(
    source: SourceServer, capsys: pytest.CaptureFixture[str]
) -> None:
    source.files[f"/{SEASON}/en.1.json"] = b"<html>"
    source.files[f"/{SEASON}/de.1.json"] = openfootball(6)
    assert main(["sync", "openfootball", "--season", SEASON, "--league", "eng.1", "--league", "de.1"]) == 1
    shown = capsys.readouterr()
    assert "2 files requested: 1 new, 1 rejected." in shown.out
    assert shown.err.splitlines()[-1].startswith(f"football: {source.address}/{SEASON}/en.1.json is rejected")


def test_nothing_fetched_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "football-data", "--season", SEASON, "--league", "eng.1"]) == 1
    assert "football: None of the 1 files exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "Missing argument"),
        (["fifa"], 2, "'fifa' is not one of 'openfootball', 'footballcsv', 'football-data'"),
        (["football-data", "--season", "soon"], 2, "'soon' is not a season"),
        (["football-data", "--league", "pl.1"], 1, "football-data has no pl.1"),
    ],
)
def test_a_request_that_makes_no_sense_asks_for_nothing(
    source: SourceServer,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    assert main(["sync", *arguments]) == code
    assert message in capsys.readouterr().err
    assert source.requests == []
