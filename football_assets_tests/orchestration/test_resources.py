"""The bucket resource: it opens what its URL names, and its scratch folders are fresh."""

from pathlib import Path

import pytest
from dagster import Definitions, asset, materialize

from football_assets.definitions import build_definitions
from football_assets.orchestration.resources import BucketResource, bucket_resources
from football_assets.settings import Settings
from football_assets.storage.local import LocalBucket
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.gcs_server import GcsServer


def test_the_resource_opens_the_bucket_of_its_url(tmp_path: Path) -> None:
    resource = BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))

    resource.open().write("a", b"1")

    assert (tmp_path / "bucket" / "a").read_bytes() == b"1"


def test_every_scratch_folder_is_new_empty_and_named_for_its_purpose(tmp_path: Path) -> None:
    resource = BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "deep" / "scratch"))

    first, second = resource.scratch_folder("tensors"), resource.scratch_folder("tensors")

    assert first != second
    assert {first.parent, second.parent} == {tmp_path / "deep" / "scratch"}
    assert first.name.startswith("tensors-")
    assert list(first.iterdir()) == []


def test_the_bucket_of_a_local_home_needs_nothing_beside_it(tmp_path: Path) -> None:
    bucket, beside_it = bucket_resources(Settings(home=tmp_path, bucket=None))

    assert isinstance(bucket.open(), LocalBucket)
    assert beside_it == {}


def test_a_bucket_in_google_cloud_storage_is_reached_with_the_client_of_its_resource(
    gcs_url: str, tmp_path: Path
) -> None:
    from dagster_gcp import GCSResource

    bucket, beside_it = bucket_resources(Settings(home=tmp_path, bucket=gcs_url))
    opened = []

    @asset
    def letter(bucket: BucketResource) -> None:
        opened.extend([bucket.open(), bucket.open()])
        opened[0].write("a", b"1")

    assert isinstance(beside_it["gcs"], GCSResource)
    assert materialize([letter], resources={**beside_it, "bucket": bucket}).success
    assert opened[0] is opened[1]  # one client for all that a step does
    assert open_bucket(gcs_url).read("a") == b"1"


def test_a_resource_given_a_url_alone_uses_the_default_credentials(gcs_url: str, tmp_path: Path) -> None:
    BucketResource(url=gcs_url, scratch=str(tmp_path)).open().write("a", b"1")

    assert open_bucket(gcs_url).read("a") == b"1"


@pytest.mark.parametrize("url", ["gs://matches/football", None])
def test_the_code_location_has_a_resource_for_the_client_where_it_needs_one(
    gcs_server: GcsServer, tmp_path: Path, url: str | None
) -> None:
    definitions = build_definitions(Settings(home=tmp_path, bucket=url))

    Definitions.validate_loadable(definitions)
    assert ("gcs" in (definitions.resources or {})) == (url is not None)
