"""A restore drill: the bucket is lost under a running service and restored from the versions of its objects."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from football_assets.registry.store import Registry
from football_assets.sequences.fixture_days import FIXTURE_TABLE
from football_assets.storage.gcs import GcsBucket
from football_assets.storage.local import LocalBucket
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table, table_object
from football_assets_tests.builders.demo import publish_reversed
from football_assets_tests.builders.running import fixture_query
from football_assets_tests.serve.conftest import make_service


def test_a_service_goes_on_without_its_bucket_and_follows_it_once_it_is_restored(
    demo_bucket: LocalBucket, versioned_gcs_url: str, tmp_path: Path
) -> None:
    bucket = open_bucket(versioned_gcs_url)
    assert isinstance(bucket, GcsBucket)
    for item in (*demo_bucket.list("registry/"), *demo_bucket.list(table_object(FIXTURE_TABLE))):
        bucket.upload(demo_bucket.root / item.name, item.name)
    second = publish_reversed(bucket, tmp_path / "second")
    before = {item.name: bucket.read(item.name) for item in bucket.list()}
    fixture = read_table(bucket, FIXTURE_TABLE).row(0, named=True)
    query = fixture_query("a1", "predict", fixture["league_id"], fixture["home_team"], fixture["away_team"])
    service = make_service(bucket, tmp_path / "scratch")
    listed = service.fixtures.rows
    time.sleep(0.01)
    moment = datetime.now(UTC)

    for item in bucket.list():
        bucket.delete(item.name)
    service.refresh()

    version, (_,) = service.answer([query])
    assert version == 1, "the model in memory answers"
    failure = service.model_error
    assert failure is not None

    restored = {item.name for item in bucket.restore(moment, dry_run=False)}
    assert restored == set(before)
    assert {name: bucket.read(name) for name in before} == before
    registry = Registry(bucket)
    assert registry.resolve("production") == 1
    service.refresh()
    assert service.model_error is None
    assert service.fixtures.rows == listed

    registry.promote(second)
    service.refresh()
    assert service.answer([query])[0] == second
    service.close()

    shutil.rmtree(tmp_path / "scratch")
    another = make_service(bucket, tmp_path / "scratch")
    assert another.answer([query])[0] == second
    another.close()
