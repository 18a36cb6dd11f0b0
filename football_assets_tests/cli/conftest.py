"""Homes, results and disks of the tests of the command line."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from football_assets.cli import main
from football_assets_tests.builders.command_states import RESULTS


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    return tmp_path / "home"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "2015-16"
    folder.mkdir(parents=True)
    (folder / "eng.1.csv").write_text(RESULTS)
    return tmp_path / "results"


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that ends with exit code 1 and one line on standard error, which is returned."""

    def run(*arguments: object) -> str:
        assert main([str(argument) for argument in arguments]) == 1
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("football: ")
        assert shown.err.count("\n") == 1
        return shown.err

    return run


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """An empty folder to mount a disk at."""
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk"


@pytest.fixture
def forecast_home(demo_home: Path, tmp_path: Path) -> Path:
    """A copy of the demo's home, to write to."""
    return Path(shutil.copytree(demo_home, tmp_path / "demo_home", copy_function=os.link))
