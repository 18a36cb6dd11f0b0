"""A pruning stops where the machine's clock is ahead of the bucket's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from football_assets.errors import FootballError
from football_assets.retention.clock import AHEAD, CLOCK_OBJECT, bucket_clock, check_clock
from football_assets.retention.policy import RetentionPolicy
from football_assets.retention.pruning import World, prune
from football_assets.storage.local import LocalBucket
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.retention_worlds import NOW

REPORT = "reports/drift/history/2020-01-01T000000.000000Z.json"


def test_a_clock_that_is_ahead_of_the_buckets_is_refused_and_one_behind_is_not(tmp_path: Path) -> None:
    bucket = LocalBucket(tmp_path)
    for there in (NOW, NOW + timedelta(days=1000), NOW - AHEAD):
        check_clock(bucket, there, NOW)
    with pytest.raises(FootballError, match=r"2026-08-01 12:00 UTC, that of .* 2026-07-30 12:00 UTC"):
        check_clock(bucket, NOW - timedelta(days=2), NOW)


def test_the_clock_of_a_bucket_moves_with_every_call(bucket_url: str) -> None:
    bucket = open_bucket(bucket_url)

    first, second = bucket_clock(bucket), bucket_clock(bucket)

    assert abs(datetime.now(UTC) - first) < timedelta(hours=1)
    assert first < second


def test_a_machine_that_is_years_ahead_removes_nothing(bucket_url: str, tmp_path: Path) -> None:
    bucket = open_bucket(bucket_url)
    bucket.write(REPORT, b"{}")
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "left").write_text("x")
    now = datetime.now(UTC) + timedelta(days=1500)
    world = World(bucket, tmp_path / "scratch")

    shown = {kind.kind: kind.count for kind in prune(world, RetentionPolicy(), now, dry_run=True)}
    assert bucket.stat(CLOCK_OBJECT) is None
    with pytest.raises(FootballError, match="Nothing was removed: the clock of this machine"):
        prune(world, RetentionPolicy(), now, dry_run=False)

    assert (shown["drift reports"], shown["scratch"]) == (1, 1)
    assert bucket.stat(REPORT) is not None
    assert (tmp_path / "scratch" / "left").exists()
