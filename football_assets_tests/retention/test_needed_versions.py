"""A version is needed for the first reason that holds."""

from pathlib import Path

import orjson
import pytest

from football_assets.deployment.served_versions import ServedVersions
from football_assets.deployment.wandb_registry import FOLLOWED_OBJECT
from football_assets.errors import RegistryError, SignatureError
from football_assets.monitoring.summary import HISTORY
from football_assets.registry.store import VERSIONS, Registry
from football_assets.retention.needed_versions import needed_versions, versions_in_use
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.retention_worlds import (
    NOW,
    add_report,
    add_segment,
    add_table,
    add_version,
    age,
    set_aliases,
    write_aged,
)
from football_assets_tests.builders.signing_keys import make_key


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


@pytest.mark.parametrize(
    ("record", "versions"),
    [
        ({"version": 2}, {2}),
        ({"versions": [2, "3"]}, {2, 3}),
        ([{"a": {"model_version": "3"}}], {3}),
        ({"model_versions": ["2", {"version": 4}, None], "version": True}, {2, 4}),
        ({"version": {"model_version": 5}}, {5}),
        ({"version": "1.0", "forecasts": [{"model_version": 6}]}, {6}),
    ],
)
def test_a_sealed_record_names_versions_by_numbers_texts_or_lists(
    bucket: LocalBucket, record: object, versions: set[int]
) -> None:
    bucket.write("sealed/a.json", orjson.dumps(record))

    assert versions_in_use(bucket, ServedVersions(frozenset({9}))) == {9, *versions}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "sealed/deep/a.json is no JSON"),
        (b"PAR1", "sealed/deep/a.json is no JSON"),
        (
            b'{"version": "production", "model_version": null, "number": 3}',
            "sealed/deep/a.json names no version",
        ),
        (b"[]", "sealed/deep/a.json names no version"),
        (b'{"version": 0, "versions": [-1, 1.5, false]}', "sealed/deep/a.json names no version"),
    ],
)
def test_a_sealed_object_of_which_no_version_is_known_may_need_any(
    bucket: LocalBucket, content: bytes, why: str
) -> None:
    bucket.write("sealed/b.json", b'{"version": 1}')
    bucket.write("sealed/deep/a.json", content)

    with pytest.raises(RegistryError, match=why):
        versions_in_use(bucket, ServedVersions())
    with pytest.raises(RegistryError, match=why):
        needed_versions(Registry(bucket), ServedVersions(), newest=1, days=91, now=NOW)


@pytest.mark.parametrize("published", ["2000-01-01T00:00:00+00:00", "9999-01-01T00:00:00+00:00"])
def test_the_time_in_a_manifest_neither_keeps_a_version_nor_makes_it_old(
    bucket: LocalBucket, published: str
) -> None:
    for number, days in ((11, 200), (12, 3)):
        name = f"{VERSIONS}{number}/manifest.json"
        altered = orjson.loads(bucket.read(name)) | {"published": published}
        write_aged(bucket, name, orjson.dumps(altered), days)

    found = needed_versions(Registry(bucket), ServedVersions(), newest=1, days=91, now=NOW)

    assert found == {12: "younger than 91 days", 13: "one of the newest 1"}


def test_a_version_with_a_corrupt_manifest_stays(bucket: LocalBucket) -> None:
    write_aged(bucket, f"{VERSIONS}5/manifest.json", b"{", 500)

    found = needed_versions(Registry(bucket), ServedVersions(), newest=1, days=91, now=NOW)

    assert found[5] == "its manifest cannot be read"
    assert set(found) == {5, 12, 13}


def test_a_version_that_only_a_former_key_has_signed_does_not_stay_for_ever(
    bucket: LocalBucket, tmp_path: Path
) -> None:
    registry = Registry(bucket, make_key(tmp_path).verifying)
    with pytest.raises(SignatureError, match="is not signed"):
        registry.open(5)

    assert set(needed_versions(registry, ServedVersions(), newest=1, days=91, now=NOW)) == {12, 13}


def test_a_corrupt_report_is_named_since_it_may_name_any_version(bucket: LocalBucket) -> None:
    name = f"{HISTORY}2015-11-28T031500.000000Z.json"
    write_aged(bucket, name, b"{", 10)

    with pytest.raises(RegistryError, match=f"{name} is no JSON"):
        needed_versions(Registry(bucket), ServedVersions(), newest=1, days=91, now=NOW)


def test_an_object_beside_the_tables_of_the_log_names_no_version(bucket: LocalBucket) -> None:
    add_table(bucket, 10, [10])
    bucket.write("tables/prediction_log/notes.txt", b"copied")

    found = needed_versions(Registry(bucket), ServedVersions(), newest=1, days=91, now=NOW)

    assert found[10] == "answered a request in the last 91 days"


def test_a_version_that_a_replica_with_a_wrong_clock_answers_from_is_needed(bucket: LocalBucket) -> None:
    day = add_table(bucket, 2000, [5])
    age(bucket.root / f"tables/prediction_log/{day}.parquet", 1)

    found = needed_versions(Registry(bucket), ServedVersions(), newest=1, days=91, now=NOW)

    assert found[5] == "answered a request in the last 91 days"
