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
    run_on_small_disk,
    with_permissions,
)


def test_assets_without_results_are_refused(refused: Callable[..., str]) -> None:
    assert "land results first" in refused("materialize")


def test_a_season_is_materialised_on_its_own(
    results: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = results / "2014-15"
    earlier.mkdir()
    (earlier / "eng.1.csv").write_text(RESULTS.replace("2015", "2014"))
    assert main(["land", str(results)]) == 0

    assert main(["materialize", "--select", "raw_matches", "--season", "2014-15"]) == 0

    tables = home / "bucket" / "tables"
    assert [file.name for file in sorted((tables / "raw_matches").iterdir())] == ["2014-15.parquet"]
    assert pl.read_parquet(tables / "raw_matches" / "2014-15.parquet")["home_team"].to_list() == [
        "Arsenal",
        "Chelsea",
    ]
    assert "raw_matches" in capsys.readouterr().err


def test_a_season_may_be_spelled_as_its_folder_is(home: Path, results: Path) -> None:
    assert run_football("land", results, home=home).returncode == 0

    shown = run_football(
        "materialize", "--select", "raw_matches,stg_matches", "--season", "2015/2016", home=home
    )

    assert shown.returncode == 0, shown.stderr.decode()
    assert (home / "bucket/tables/raw_matches/2015-16.parquet").is_file()
    assert (home / "bucket/tables/stg_matches").is_dir()


def test_seasons_assets_and_configurations_that_do_not_exist_are_refused(
    results: Path, tmp_path: Path, refused: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["land", str(results)]) == 0
    capsys.readouterr()
    knobs = tmp_path / "knobs.yaml"
    knobs.write_text("ops: {trained_lstm: {config: {epochz: 1}}}")

    assert "No results of 1901-02 have landed. Seasons: 2015-16." in refused(
        "materialize", "--season", "1901-02"
    )
    assert "The assets are: backtest, drift_report, fixture_predictions" in refused(
        "materialize", "--select", "trained_lstn"
    )
    assert "epochz" in refused("materialize", "--select", "trained_lstm", "--config", knobs)
    knobs.write_text("just words")
    assert "no run configuration" in refused("materialize", "--config", knobs)
    knobs.write_text("ops: [")
    assert "is no YAML" in refused("materialize", "--config", knobs)


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
        "every_file_can_be_read warning: Files that cannot be read: 3. Land them anew, or remove them."
    )
    assert [reason.strip() for reason in reasons] == [
        "1 x raw/other/2015-16/eng.2.csv: The file cannot be opened: Permission denied.",
        "1 x raw/other/2014-15: The folder cannot be opened: Permission denied.",
        r"1 x raw/K\xf6ln.csv: The name is not UTF-8.",
    ]
    assert len(pl.read_parquet(home / "bucket/tables/raw_matches/2015-16.parquet")) == 2


def test_dagsters_storage_on_a_full_disk_is_named_and_works_again_once_there_is_space(
    disk: Path, results: Path
) -> None:
    script = f"""
    football land {results} && football materialize --select raw_matches; echo "code $?"
    mount -o remount,size=100m "$DISK" && football materialize --select raw_matches 2>/dev/null; echo "code $?"
    """

    shown = run_on_small_disk(script, disk, "1300k")

    error = shown.stderr.decode()
    assert error.startswith("football: Dagster's storage cannot be used: "), error
    assert f"the disk of {disk}/home is full" in error
    assert error.count("\n") == 1
    codes = [line for line in shown.stdout.decode().splitlines() if line.startswith("code")]
    assert codes == ["code 1", "code 0"]
