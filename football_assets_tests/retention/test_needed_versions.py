"""A version is needed for the first reason that holds."""

from pathlib import Path

import orjson
import pytest

from football_assets.deployment.served_versions import ServedVersions
from football_assets.deployment.wandb_registry import FOLLOWED_OBJECT
from football_assets.registry.store import Registry
from football_assets.retention.needed_versions import needed_versions
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.retention_worlds import (
    NOW,
    add_report,
    add_segment,
    add_table,
    add_version,
    age,
    set_aliases,
)


@pytest.fixture
def bucket(tmp_path: Path) -> LocalBucket:
    """With thirteen versions, all but the last two old."""
    bucket = LocalBucket(tmp_path / "bucket")
    for number in range(1, 14):
        add_version(bucket, number, 3 if number == 12 else 500)
    return bucket


def test_each_version_has_its_reason_and_others_are_not_needed(bucket: LocalBucket) -> None:
    set_aliases(bucket, production=1, candidate=2, previous=3, withdrawn=[4])
    bucket.write("sealed/deep/a.json", orjson.dumps({"of": [{"version": 6}], "version_text": 8}))
    bucket.write(FOLLOWED_OBJECT, orjson.dumps({"name": "x", "version": 7}))
    add_segment(bucket, 400, [9])
    add_table(bucket, 10, [10])
    add_report(bucket, 10, 11)
    add_table(bucket, 200, [8])
    add_report(bucket, 200, 8)

    found = needed_versions(Registry(bucket), ServedVersions(frozenset({5})), newest=1, days=91, now=NOW)

    assert found == {
        1: "alias production",
        2: "alias candidate",
        3: "alias previous",
        4: "withdrawn: the gate must know it",
        5: "served",
        6: "a sealed record names it",
        7: "linked in Weights & Biases",
        9: "answered a request that is not compacted",
        10: "answered a request in the last 91 days",
        11: "production in the last 91 days",
        12: "younger than 91 days",
        13: "one of the newest 1",
    }


def test_a_version_that_a_replica_with_a_wrong_clock_answers_from_is_needed(bucket: LocalBucket) -> None:
    day = add_table(bucket, 2000, [5])
    age(bucket.root / f"tables/prediction_log/{day}.parquet", 1)

    found = needed_versions(Registry(bucket), ServedVersions(), newest=1, days=91, now=NOW)

    assert found[5] == "answered a request in the last 91 days"
