"""The real command on full, read-only and forbidden disks, with other encodings, and with output that nobody reads."""

import os
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from football_assets.sample import sample_folder
from football_assets_tests.builders.command_states import (
    FOOTBALL,
    refusal,
    run_football,
    run_on_small_disk,
    with_permissions,
)

RESULTS = """Date,Team 1,FT,HT,Team 2
Sat Aug 8 2015,Arsenal,0-2,0-1,West Ham
Sat Aug 8 2015,Chelsea,2-2,2-1,Swansea
"""
FULL = "No space left on device"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    (folder / "2015-16").mkdir(parents=True)
    (folder / "2015-16" / "eng.1.csv").write_text(RESULTS)
    return folder


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """An empty folder to mount a disk at."""
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk"


@pytest.fixture
def forecast_home(demo_home: Path, tmp_path: Path) -> Path:
    """A copy of the demo's home, to write to."""
    return Path(shutil.copytree(demo_home, tmp_path / "demo_home", copy_function=os.link))


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


@pytest.mark.parametrize("size", ["300k", "3m"])
@pytest.mark.parametrize("command", ["demo", "materialize", "up", "serve"])
def test_a_full_home_is_one_line_before_anything_starts(disk: Path, size: str, command: str) -> None:
    fill = 'mkdir -p "$FOOTBALL_HOME" && dd if=/dev/zero of="$DISK/fill" bs=4k 2>/dev/null; '

    shown = run_on_small_disk(f"{fill} football {command}", disk, size)

    assert refusal(shown).startswith(f"football: Home {disk}/home cannot be used: {FULL}.")


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


def test_a_file_of_figures_on_a_full_disk_is_left_as_it_was(disk: Path, results: Path) -> None:
    script = f"""
    echo old > "$DISK/figures.json" && dd if=/dev/zero of="$DISK/fill" bs=4k 2>/dev/null
    football clubs --raw {results} --json "$DISK/figures.json" --home {disk.parent}/home > /dev/null; echo "code $?"
    cat "$DISK/figures.json"; ls -A "$DISK"
    """

    shown = run_on_small_disk(script, disk, "300k")

    assert f"figures.json could not be written: {FULL}" in shown.stderr.decode()
    assert shown.stdout.decode().splitlines() == ["code 1", "old", "figures.json", "fill"]


def test_what_only_reads_works_on_a_read_only_disk_and_what_writes_is_one_line(
    disk: Path, forecast_home: Path, results: Path
) -> None:
    script = f"""
    cp -a {forecast_home}/bucket {forecast_home}/dagster {forecast_home}/scratch "$DISK" && mount -o remount,ro "$DISK"
    export FOOTBALL_HOME="$DISK"
    football predict eng.1 Arsenal Chelsea && football models && football clubs > /dev/null; echo "code $?"
    football land {results}; echo "code $?"
    football models rollback; echo "code $?"
    football materialize; echo "code $?"
    """

    shown = run_on_small_disk(script, disk, "200m")

    text = shown.stdout.decode()
    assert "Arsenal" in text
    assert [line for line in text.splitlines() if line.startswith("code")] == ["code 0", *["code 1"] * 3]
    landing, rollback, run = shown.stderr.decode().splitlines()
    assert f"Bucket {disk}/bucket could not write 'raw/" in landing
    assert "Read-only file system" in landing
    assert rollback.startswith("football: ")
    assert f"Home {disk} cannot be used: Read-only file system" in run


def test_a_folder_without_permission_is_named(tmp_path: Path, results: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(0o500)

    shown = run_football("land", results, home=closed / "home", before=with_permissions())

    assert f"Home {closed}/home cannot be used: Permission denied" in refusal(shown)


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


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_forecast_is_printed_in_any_encoding(forecast_home: Path, encoding: str) -> None:
    shown = run_football(
        "predict", "eng.1", "Arsenal", "Chelsea", home=forecast_home, PYTHONIOENCODING=encoding
    )

    assert (shown.returncode, shown.stderr) == (0, b"")
    lines = shown.stdout.decode(encoding).splitlines()
    (row,) = [line for line in lines if "Arsenal" in line]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:4] == ["eng.1", "Arsenal", "Chelsea"]
    assert cells[7].split(" - ")[0].replace(".", "").isdigit()
    assert {len(line) for line in lines if line.startswith(("|", "+"))} == {len(row)}


def test_output_that_nobody_reads_or_keeps_ends_without_a_traceback(forecast_home: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    unread = run_football("models", home=forecast_home, stdout=writer)
    os.close(writer)
    with Path("/dev/full").open("wb") as full:
        lost = run_football("models", home=forecast_home, stdout=full)
    closed = subprocess.run(
        ["bash", "-c", '"$@" models >&- 2>&- <&-', "bash", *FOOTBALL],
        env={**os.environ, "FOOTBALL_HOME": str(forecast_home)},
    )

    assert (unread.returncode, unread.stderr) == (1, b"")
    assert lost.returncode == 1
    assert lost.stderr.decode().startswith(f"football: Standard output: {FULL}.")
    assert lost.stderr.count(b"\n") == 1
    assert closed.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["clubs", "--season", "2030-31"], 1, "No results of 2030-31 have landed. Seasons: 2015-16."),
        (["clubs", "--season", "lately"], 2, "'lately' is no season: write it like 2015-16"),
        (["clubs", "--season", "2015-17"], 2, "'2015-17' is no season"),
        (
            ["materialize", "--season", "2015/16", "--select", "nothing,raw_matches"],
            1,
            "The assets are: backtest",
        ),
        (["materialize", "--select", ""], 1, "The assets are: backtest"),
        (["materialize", "--select", ","], 1, "The assets are: backtest"),
        (["land", ""], 2, "the name is empty"),
        (["--home", "", "models"], 2, "the name is empty"),
        (["clubs", "--json", ""], 2, "the name is empty"),
        (["clubs", "--raw", "/nowhere/at/all"], 1, "There is no file or folder /nowhere/at/all"),
        (
            ["predict", "eng.1", "Arsenal", "Chelsea", "--date", "2015-02-30"],
            2,
            "'2015-02-30' does not match",
        ),
        (["models", "show", "-1"], 2, "No such option"),
    ],
)
def test_careless_arguments_are_told_what_is_wrong(
    home: Path, results: Path, arguments: list[str], code: int, words: str
) -> None:
    assert run_football("land", results, home=home).returncode == 0

    shown = run_football(*arguments, home=home)

    assert shown.returncode == code
    assert words in shown.stderr.decode()
    assert shown.stdout == b""


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("FOOTBALL_PORT", "0", "FOOTBALL_PORT=0 is not usable"),
        ("FOOTBALL_PORT", "many", "FOOTBALL_PORT=many is not usable"),
        ("FOOTBALL_API_KEY", "", "FOOTBALL_API_KEY is not usable"),
        ("FOOTBALL_BUCKET", "s3://results", "Bucket 's3://results' is not supported"),
        ("FOOTBALL_BUCKET", "/dev/null/bucket", "Bucket folder /dev/null/bucket cannot be created"),
        ("FOOTBALL_HOME", "~nobody-of-this-name/home", "Home ~nobody-of-this-name/home cannot be used"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line(home: Path, variable: str, value: str, words: str) -> None:
    shown = run_football("models", home=home, before=("env", f"{variable}={value}"))

    assert words in refusal(shown)


def test_a_season_may_be_spelled_as_its_folder_is(home: Path, results: Path) -> None:
    assert run_football("land", results, home=home).returncode == 0

    shown = run_football(
        "materialize", "--select", "raw_matches,stg_matches", "--season", "2015/2016", home=home
    )

    assert shown.returncode == 0, shown.stderr.decode()
    assert (home / "bucket/tables/raw_matches/2015-16.parquet").is_file()
    assert (home / "bucket/tables/stg_matches").is_dir()


def test_the_bucket_expands_the_tilde_and_a_blank_home_is_the_default(tmp_path: Path, results: Path) -> None:
    shown = run_football(
        "land", results, home=tmp_path / "home", HOME=str(tmp_path), FOOTBALL_BUCKET="~/matches"
    )
    assert shown.returncode == 0, shown.stderr.decode()
    assert (tmp_path / "matches/raw/results/2015-16/eng.1.csv").is_file()

    blank = subprocess.run(
        [*FOOTBALL, "land", str(results)],
        cwd=tmp_path,
        env={**os.environ, "FOOTBALL_HOME": "", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
    )
    assert blank.returncode == 0, blank.stderr.decode()
    assert (tmp_path / "football_home/bucket/raw/results/2015-16/eng.1.csv").is_file()


def test_google_cloud_storage_without_credentials_is_one_line(home: Path, tmp_path: Path) -> None:
    shown = run_football(
        "models",
        home=home,
        before=("env", "-u", "STORAGE_EMULATOR_HOST", "-u", "GOOGLE_APPLICATION_CREDENTIALS"),
        FOOTBALL_BUCKET="gs://matches",
        CLOUDSDK_CONFIG=str(tmp_path),
        NO_GCE_CHECK="true",
    )

    assert "There are no Google Cloud credentials for bucket gs://matches" in refusal(shown)
