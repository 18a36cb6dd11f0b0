"""`football restore` on a bucket whose objects were deleted, and on a folder, which has no versions."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from football_assets.cli import main
from football_assets.storage.opening import open_bucket


def test_deleted_objects_are_listed_and_restored(
    versioned_gcs_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOOTBALL_BUCKET", versioned_gcs_url)
    bucket = open_bucket(versioned_gcs_url)
    bucket.write("registry/aliases.json", b"{}")
    time.sleep(0.01)
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    bucket.delete("registry/aliases.json")

    assert main(["restore", "--at", at, "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("registry/aliases.json\t")
    assert shown.out.endswith("\tdeleted\n")
    assert shown.err == f"1 objects with 2 bytes would be restored in {versioned_gcs_url}.\n"
    assert list(bucket.list()) == []

    assert main(["restore", "--at", at]) == 0
    assert "1 objects with 2 bytes were restored" in capsys.readouterr().err
    assert bucket.read("registry/aliases.json") == b"{}"


def test_a_folder_has_no_versions(refused: Callable[..., str]) -> None:
    shown = refused("restore", "--at", "2026-11-29T18:00:00Z")
    assert "is a folder, which keeps no versions: copy a backup of it back" in shown


@pytest.mark.parametrize("at", ["yesterday", "2026-11-29", "2026-11-29T18:00:00"])
def test_a_time_without_an_offset_is_refused(at: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore", "--at", at]) == 2
    assert "does not match the formats" in capsys.readouterr().err
