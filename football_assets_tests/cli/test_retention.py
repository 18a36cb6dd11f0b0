"""`football prune` shows what would go, and removes it without the option."""

from pathlib import Path

import pytest

from football_assets.cli import main
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.retention_worlds import write_aged

OLD = "reports/drift/history/2020-01-01T000000.000000Z.json"


@pytest.fixture
def bucket(home: Path) -> LocalBucket:
    """With a report that is years old."""
    bucket = LocalBucket(home / "bucket")
    write_aged(bucket, OLD, b"{}" * 600, 2000)
    return bucket


def row(text: str, kind: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if f" {kind} " in line)
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_dry_run_only_shows_and_the_next_removes(
    bucket: LocalBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prune", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert row(shown, "drift reports")[:3] == ["drift reports", "1", "0"]
    assert row(shown, "drift reports")[3] == "1 kB"
    assert "older than 400 days" in shown
    assert bucket.stat(OLD) is not None

    assert main(["prune"]) == 0
    assert row(capsys.readouterr().out, "drift reports")[:3] == ["drift reports", "1", "1"]
    assert bucket.stat(OLD) is None


def test_a_kind_that_is_off_says_so(
    bucket: LocalBucket, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_RETENTION_REPORT_DAYS", "off")

    assert main(["prune"]) == 0

    assert row(capsys.readouterr().out, "drift reports")[-1] == "off: everything is kept"
    assert bucket.stat(OLD) is not None


def test_a_limit_that_cannot_be_is_refused(refused: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTBALL_RETENTION_LOG_DAYS", "30")

    assert "FOOTBALL_RETENTION_LOG_DAYS=30 is not usable" in refused("prune")  # type: ignore[operator]


def test_an_unusable_database_of_dagster_is_reported_and_everything_else_is_pruned(
    bucket: LocalBucket, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "dagster" / "history").mkdir(parents=True)
    (home / "dagster" / "history" / "runs.db").write_bytes(b"no database " * 1000)

    assert main(["prune"]) == 1

    shown = capsys.readouterr()
    assert row(shown.out, "drift reports")[:3] == ["drift reports", "1", "1"]
    assert bucket.stat(OLD) is None
    reason = "Dagster's storage cannot be used: file is not a database."
    assert [line.partition(reason)[0] for line in shown.err.splitlines() if reason in line] == [
        "football: runs: ",
        "football: files of removed runs: ",
    ]
