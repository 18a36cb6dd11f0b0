"""The bucket in Google Cloud Storage as a resource."""

from pathlib import Path

from dagster import Definitions, asset, materialize
from dagster_gcp import GCSResource

from football_assets.orchestration.gcs_resource import GcsBucketResource
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.gcs import GcsBucket
from football_assets.storage.opening import open_bucket


def resource_at(url: str, scratch: Path) -> GcsBucketResource:
    return GcsBucketResource(url=url, scratch=str(scratch), gcs=GCSResource(project="football"))


def test_the_bucket_is_opened_once_with_the_client_of_the_nested_resource(
    gcs_url: str, tmp_path: Path
) -> None:
    projects = []

    @asset
    def letter(bucket: BucketResource) -> None:
        first, second = bucket.open(), bucket.open()
        assert isinstance(first, GcsBucket)
        assert first is second
        first.write("letters/a", b"1")
        projects.append(bucket.gcs.get_client().project)  # type: ignore[attr-defined]

    assert materialize([letter], resources={"bucket": resource_at(gcs_url, tmp_path)}).success
    assert projects == ["football"]
    assert open_bucket(gcs_url).read("letters/a") == b"1"


def test_two_runs_do_not_share_a_client(gcs_url: str, tmp_path: Path) -> None:
    opened = []

    @asset
    def letter(bucket: BucketResource) -> None:
        opened.append(bucket.open())

    resource = resource_at(gcs_url, tmp_path)
    for _ in range(2):
        assert materialize([letter], resources={"bucket": resource}).success
    assert opened[0] is not opened[1]


def test_a_definition_can_configure_the_client_as_a_resource_of_its_own(gcs_url: str, tmp_path: Path) -> None:
    @asset
    def letter(bucket: BucketResource) -> None: ...

    client = GCSResource.configure_at_launch()
    bucket = GcsBucketResource(url=gcs_url, scratch=str(tmp_path), gcs=client)

    Definitions.validate_loadable(Definitions(assets=[letter], resources={"gcs": client, "bucket": bucket}))
