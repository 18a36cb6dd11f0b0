"""Homes and buckets that a command cannot use, and how their names are expanded."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from football_assets_tests.builders.command_states import (
    FOOTBALL,
    FULL,
    refusal,
    run_football,
    run_on_small_disk,
    with_permissions,
)


def test_a_home_that_cannot_be_used_is_refused(refused: Callable[..., str], results: Path) -> None:
    assert "cannot be used" in refused("land", results, "--home", results / "2015-16" / "eng.1.csv" / "home")


def test_a_setting_that_is_no_number_is_refused(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_PORT", "many")

    assert "FOOTBALL_PORT=many is not usable" in refused("models")


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


def test_a_folder_without_permission_is_named(tmp_path: Path, results: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(0o500)

    shown = run_football("land", results, home=closed / "home", before=with_permissions())

    assert f"Home {closed}/home cannot be used: Permission denied" in refusal(shown)


@pytest.mark.parametrize("size", ["300k", "3m"])
@pytest.mark.parametrize("command", ["demo", "materialize", "up", "serve"])
def test_a_full_home_is_one_line_before_anything_starts(disk: Path, size: str, command: str) -> None:
    fill = 'mkdir -p "$FOOTBALL_HOME" && dd if=/dev/zero of="$DISK/fill" bs=4k 2>/dev/null; '

    shown = run_on_small_disk(f"{fill} football {command}", disk, size)

    assert refusal(shown).startswith(f"football: Home {disk}/home cannot be used: {FULL}.")


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
