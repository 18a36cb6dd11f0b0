"""`football materialize`."""

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from football_assets.cli import main
from football_assets_tests.builders.command_states import (
    RESULTS,
    run_football,
    with_permissions,
)


def test_assets_without_results_are_refused(refused: Callable[..., str]) -> None:
    assert "land results first" in refused("materialize")


def test_a_country_is_materialized_on_its_own(
    results: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / "2015-16" / "es.1.csv").write_text(RESULTS)
    assert main(["land", str(results)]) == 0

    assert main(["materialize", "--select", "raw_matches,stg_matches", "--country", "es"]) == 0

    tables = home / "bucket" / "tables"
    assert [file.name for file in sorted((tables / "raw_matches").iterdir())] == ["es.parquet"]
    assert pl.read_parquet(tables / "raw_matches" / "es.parquet")["home_team"].to_list() == [
        "Arsenal",
        "Chelsea",
    ]
    assert [file.name for file in sorted((tables / "stg_matches").iterdir())] == ["es.parquet"]
    assert "raw_matches" in capsys.readouterr().err


def test_countries_assets_and_configurations_that_do_not_exist_are_refused(
    results: Path, tmp_path: Path, refused: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["land", str(results)]) == 0
    capsys.readouterr()
    knobs = tmp_path / "knobs.yaml"
    knobs.write_text("ops: {trained_lstm: {config: {epochz: 1}}}")

    assert "No results of xx have landed. Countries: eng." in refused("materialize", "--country", "xx")
    assert "The assets are: backtest, drift_report, fixture_predictions" in refused(
        "materialize", "--select", "trained_lstn"
    )
    assert "epochz" in refused("materialize", "--select", "trained_lstm", "--config", knobs)
    knobs.write_text("just words")
    assert "not a run configuration" in refused("materialize", "--config", knobs)
    knobs.write_text("ops: [")
    assert "is not YAML" in refused("materialize", "--config", knobs)


def test_files_of_the_bucket_that_may_not_be_read_are_rejected_and_the_rest_is_read(
    home: Path, results: Path
) -> None:
    assert run_football("land", results, home=home).returncode == 0
    raw = home / "bucket" / "raw"
    (raw / "other" / "2015-16").mkdir(parents=True)
    (raw / "other" / "2015-16" / "eng.2.csv").write_text(RESULTS)
    (raw / "other" / "2015-16" / "eng.2.csv").chmod(0)
    (raw / "other" / "2014-15").mkdir(0o000)
    Path(os.fsdecode(os.fsencode(raw) + b"/K\xf6ln.csv")).write_text(RESULTS)

    shown = run_football(
        "materialize",
        "--select",
        "raw_matches",
        home=home,
        before=with_permissions(),
        PYTHONIOENCODING="ascii",
    )

    error = shown.stderr.decode("ascii")
    assert shown.returncode == 0, error
    lines = error.splitlines()
    first = next(number for number, line in enumerate(lines) if "every_file_can_be_read" in line)
    warning, *reasons = lines[first : first + 4]
    assert warning.endswith(
        "every_file_can_be_read warning: Files that cannot be read: 3. Land them again, or remove them."
    )
    assert [reason.strip() for reason in reasons] == [
        "1 x raw/other/2015-16/eng.2.csv: The file cannot be opened: Permission denied.",
        "1 x raw/other/2014-15: The folder cannot be opened: Permission denied.",
        r"1 x raw/K\xf6ln.csv: The name is not UTF-8.",
    ]
    assert len(pl.read_parquet(home / "bucket/tables/raw_matches/eng.parquet")) == 2
