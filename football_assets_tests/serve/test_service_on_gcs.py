"""A service on Google Cloud Storage: the model and the fixture list come from it, the prediction log goes to it."""

from pathlib import Path

import pytest

from football_assets.registry.store import ALIASES_OBJECT, Registry
from football_assets.sequences.fixture_days import FIXTURE_TABLE
from football_assets.storage.bucket import Bucket
from football_assets.storage.local import LocalBucket
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table, table_object
from football_assets_tests.builders.demo import publish_reversed
from football_assets_tests.builders.gcs_server import Front, refuse
from football_assets_tests.builders.running import fixture_query
from football_assets_tests.serve.conftest import make_service
from serve.prediction_log import SEGMENTS, read_segment
from serve.served_model import FixtureQuery, MatchForecast


@pytest.fixture
def bucket(demo_bucket: LocalBucket, gcs_url: str) -> Bucket:
    """What serving needs of the demo's bucket."""
    bucket = open_bucket(gcs_url)
    for item in (*demo_bucket.list("registry/"), *demo_bucket.list(table_object(FIXTURE_TABLE))):
        bucket.upload(demo_bucket.root / item.name, item.name)
    return bucket


def query(bucket: Bucket) -> FixtureQuery:
    fixture = read_table(bucket, FIXTURE_TABLE).row(0, named=True)
    return fixture_query("a1", "predict", fixture["league_id"], fixture["home_team"], fixture["away_team"])


def records(bucket: Bucket) -> list[dict[str, object]]:
    return [
        record
        for item in bucket.list(f"{SEGMENTS}/")
        for record in read_segment(bucket.read(item.name), item.name)
    ]


def test_a_service_answers_from_a_bundle_in_the_bucket_and_logs_into_it(
    bucket: Bucket, demo_bucket: LocalBucket, tmp_path: Path
) -> None:
    local = make_service(demo_bucket, tmp_path / "local")
    service = make_service(bucket, tmp_path / "scratch")

    version, (answer,) = service.answer([query(bucket)])
    _, (expected,) = local.answer([query(bucket)])
    service.close()
    local.close()

    assert isinstance(answer, MatchForecast)
    assert isinstance(expected, MatchForecast)
    assert version == 1
    assert (answer.probabilities, answer.day) == (expected.probabilities, expected.day)
    listed = [*service.fixtures.rows, *service.fixtures.overdue]
    assert len(listed) == read_table(bucket, FIXTURE_TABLE).height
    (record,) = records(bucket)
    assert (record["request_id"], record["p"]) == ("a1", answer.probabilities)


def test_a_service_follows_the_alias_and_keeps_its_model_while_the_bucket_is_out_of_order(
    bucket: Bucket, gcs_front: Front, tmp_path: Path
) -> None:
    service = make_service(gcs_front.open(bucket.url, deadline_seconds=0.1), tmp_path / "scratch")
    Registry(bucket).promote(publish_reversed(bucket, tmp_path))
    gcs_front.fail("GET", ALIASES_OBJECT.replace("/", "%2F"), *[refuse(503, "Backend Error")] * 50)

    service.refresh()
    assert service.answer([query(bucket)])[0] == 1
    assert "try again later" in str(service.model_error)

    gcs_front.heal()
    service.refresh()
    assert service.answer([query(bucket)])[0] == 2
    assert service.model_error is None
    service.close()
