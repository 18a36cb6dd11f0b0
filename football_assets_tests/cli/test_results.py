"""`football land`, `sync` and `clubs`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from football_assets.cli import main
from football_assets.sample import sample_folder
from football_assets_tests.builders.command_states import (
    FULL,
    RESULTS,
    run_football,
    run_on_small_disk,
    with_permissions,
)


def test_landing_copies_results_and_says_what_each_file_holds(
    results: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = results / "2015-16" / "eng.1.csv"
    for changed in (1, 0):
        assert main(["land", str(results)]) == 0
        assert capsys.readouterr().out == (
            f"{file} (eng.1 2015-16): 2 results, 0 fixtures, 0 rejected\n"
            f"1 file landed, {changed} of them new or changed, season 2015-16: 2 results, 0 fixtures, "
            "0 rejected records.\n"
        )
    assert (home / "bucket/raw/results/2015-16/eng.1.csv").read_text() == RESULTS


def test_landing_names_the_files_it_skips_and_ends_with_1_if_one_holds_no_match(
    results: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / "2015-16" / "notes.md").write_text("Arsenal lost")
    assert main(["land", str(results)]) == 0
    assert "notes.md: The file holds no results" in capsys.readouterr().err

    (results / "2015-16" / "de.1.json").write_text("<html>404</html>")
    (results / "2015-16" / "de.2.csv").write_text("Date,Team 1,FT,HT,Team 2\nnever,Aue,1-0,?,Fürth\n")
    assert main(["land", str(results)]) == 1
    shown = capsys.readouterr()
    assert "de.1.json: The file is an HTML page" in shown.err
    assert "de.2.csv: Its only record is not a match, line 2: The date 'never'" in shown.err
    assert (
        "de.2.csv (de.2 2015-16): 0 results, 0 fixtures, 1 rejected. The first is line 2: The date"
        in shown.out
    )
    assert (home / "bucket/raw/results/2015-16/eng.1.csv").read_text() == RESULTS


def test_a_file_of_another_division_than_its_name_says_ends_landing_with_1(
    results: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = results / "2015-16" / "E1.csv"
    wrong.write_text("Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nSP1,15/08/2015,Almeria,Vallecano,0,2\n")
    assert main(["land", str(results)]) == 1
    assert f"skipped {wrong}: The file is of SP1" in capsys.readouterr().err
    assert [path.name for path in (home / "bucket/raw").rglob("*.csv")] == ["eng.1.csv"]
    assert main(["land", str(wrong)]) == 1
    assert "Nothing to land" in capsys.readouterr().err


def test_clubs_names_the_files_of_a_folder_that_it_cannot_compare(
    results: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / "2015-16" / "de.1.json").write_text("<html>404</html>")
    (results / "2015-16" / "de.2.xlsx").write_bytes(b"PK\x03\x04")
    assert main(["clubs", "--raw", str(results)]) == 0
    shown = capsys.readouterr().err
    assert "de.1.json: The file is an HTML page" in shown
    assert "de.2.xlsx: The file holds no results in JSON or CSV. The file is binary" in shown
    assert not (home / "bucket/raw").exists()


def test_a_path_that_does_not_exist_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "no file or folder" in refused("land", tmp_path / "nowhere")


def test_a_full_disk_ends_a_landing_in_one_line_and_leaves_whole_objects(disk: Path) -> None:
    script = f"""
    football land {sample_folder()}; echo "code $?"
    ls -A "$DISK/home/bucket/.bucket"
    cd "$DISK/home/bucket/raw/openfootball"
    for file in */*; do cmp "$file" {sample_folder()}/"$file" && echo whole; done
    """

    shown = run_on_small_disk(script, disk, "300k")

    error = shown.stderr.decode()
    code, lock, *whole = shown.stdout.decode().splitlines()
    assert error.startswith(f"football: Bucket {disk}/home/bucket could not write 'raw/openfootball/"), error
    assert FULL in error
    assert error.count("\n") == 1
    assert (code, lock) == ("code 1", "lock")
    assert set(whole) == {"whole"}
    assert len(whole) < 25


def test_landing_names_the_folders_and_files_that_it_may_not_read(home: Path, results: Path) -> None:
    (results / "2014-15").mkdir(0o000)
    secret = results / "2015-16" / "eng.2.csv"
    secret.write_text(RESULTS)
    secret.chmod(0)

    shown = run_football("land", results, home=home, before=with_permissions())

    error = shown.stderr.decode()
    assert shown.returncode == 0, error
    assert f"skipped {results}/2014-15: The folder cannot be opened: Permission denied." in error
    assert f"skipped {secret}: The file cannot be opened: Permission denied." in error
    assert (home / "bucket/raw/results/2015-16/eng.1.csv").is_file()
