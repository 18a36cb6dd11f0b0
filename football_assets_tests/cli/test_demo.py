"""`football demo`."""

import json
from pathlib import Path

import pytest

from football_assets.cli import demo as demo_module
from football_assets.cli import main
from football_assets.cli.graph import DEFAULT_SELECTION
from football_assets.settings import Settings
from football_assets_tests.builders.demo import FIGURES


def test_the_demo_prints_fixtures_and_scores_and_writes_the_figures(
    demo_home: Path,
    forecast_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs: list[tuple[Path, str]] = []
    monkeypatch.setattr(
        demo_module, "run_graph", lambda settings, selection: runs.append((settings.home, selection))
    )
    figures = tmp_path / "figures.json"

    assert main(["demo", "--home", str(forecast_home), "--json", str(figures)]) == 0

    shown = capsys.readouterr()
    assert runs == [(forecast_home, DEFAULT_SELECTION)]
    written, expected = (json.loads(file.read_text()) for file in (figures, demo_home.parent / FIGURES))
    assert written | {"seconds": 0} == expected | {"seconds": 0}
    assert "Landed 25 files of 5 seasons in" in shown.err
    assert "Next of 1,368 fixtures" in shown.out
    assert "Date passed, no result yet: 1 of 1,369 fixtures" in shown.out
    assert "LSTM" in shown.out
    assert "Elo, logistic" in shown.out


def test_figures_that_could_not_be_written_are_rejected_before_anything_lands(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--json", str(tmp_path / "nowhere" / "figures.json")]) == 1

    assert "figures.json cannot be written" in capsys.readouterr().err
    assert not list(Path(Settings(home=home).bucket_url).iterdir())
